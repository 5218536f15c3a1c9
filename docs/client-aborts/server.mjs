// A stateless streamable-HTTP server of the TypeScript SDK with a slow streaming tool.
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import * as z from 'zod/v4';

function getServer() {
    const server = new McpServer({ name: 'node-stateless', version: '1.0.0' });
    server.registerTool('countdown', {
        description: 'Counts down, and reports progress every second.',
        inputSchema: { seconds: z.number().default(3), beacon: z.string().optional() }
    }, async ({ seconds, beacon }, extra) => {
        let socket;
        if (beacon) {
            const url = new URL(beacon);
            socket = connect(Number(url.port), url.hostname);
            socket.on('error', () => {});
        }
        try {
            for (let second = 0; second < seconds; second++) {
                const progressToken = extra._meta?.progressToken;
                if (progressToken !== undefined) {
                    await extra.sendNotification({
                        method: 'notifications/progress',
                        params: { progressToken, progress: second, total: seconds }
                    });
                }
                // As a well-written tool does: it stops when it is told to.
                await sleep(1000, undefined, process.argv[3] === 'signal' ? { signal: extra.signal } : {});
            }
            return { content: [{ type: 'text', text: `Counted down ${seconds} seconds.` }] };
        } finally {
            socket?.destroy();
        }
    });
    return server;
}

const json = (res, status, message) =>
    res.writeHead(status, { 'content-type': 'application/json' })
        .end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32000, message }, id: null }));

createServer(async (req, res) => {
    if (req.method !== 'POST') return json(res, 405, 'Method not allowed.');
    const server = getServer();
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
    res.on('close', () => { transport.close(); server.close(); });
    try {
        await server.connect(transport);
        await transport.handleRequest(req, res);
    } catch (error) {
        console.error('Error handling MCP request:', error);
        if (!res.headersSent) json(res, 500, 'Internal server error');
    }
}).listen(Number(process.argv[2]), '127.0.0.1');
