// Loaded into the process that `jco serve` starts, which would outlive it.
const parent = process.ppid;
setInterval(() => process.ppid === parent || process.exit(), 100).unref();
