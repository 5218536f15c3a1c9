//! Wraps a component of WASI 0.3, so that calls of it can be cancelled.
//!
//! The component model has a way to tell a guest that nobody waits for it any more: its caller
//! cancels the call, and the guest runs its destructors. wasmtime has no such function for hosts
//! ([issue 11833]). So the guest gets a small component for a neighbour, which passes the call on
//! and cancels it when a function of the host returns, and both get a component around them, which
//! imports what the guest imports.
//!
//! [issue 11833]: https://github.com/bytecodealliance/wasmtime/issues/11833

use wasm_encoder::{
    Alias, CanonicalFunctionSection, CanonicalOption, Component, ComponentAliasSection,
    ComponentExportKind, ComponentExportSection, ComponentImportSection, ComponentInstanceSection,
    ComponentOuterAliasKind, ComponentSectionId, ComponentTypeRef, ComponentTypeSection,
    ComponentValType, ExportKind, InstanceSection, ModuleArg, PrimitiveValType, RawSection,
    ValType,
};

use super::imports::{Imports, ImportsError};

/// What is exported, in place of the guest's handler: `async func(request, u64) ->
/// result<response, u8>`, where the number is the exchange's.
pub(super) const HANDLE: &str = "handle";
/// What is imported besides: `async func(u64)`, which returns when the call of that exchange is of
/// no more use.
pub(super) const LEAVE: &str = "leave";
/// The error code of a call that was cancelled.
pub(super) const CANCELLED: u8 = 255;

const MEMORY: &str = include_str!("memory.wat");
const CALLER: &str = include_str!("caller.wat");

/// Why a component cannot be wrapped.
#[derive(Debug, thiserror::Error)]
pub(super) enum WrapError {
    #[error(transparent)]
    Imports(#[from] ImportsError),
    #[error("it handles requests without importing `wasi:http/types`")]
    NoTypes,
    #[error("its caller is no WebAssembly: {0}")]
    Caller(#[from] wat::Error),
}

/// The component around guest and caller. `handler` is the name of the guest's export.
pub(super) fn wrap(guest: &[u8], handler: &str) -> Result<Vec<u8>, WrapError> {
    let imports = Imports::read(guest)?;
    let types = imports.http_types.ok_or(WrapError::NoTypes)?;
    let mut outer = Component::new();
    for (id, range) in &imports.sections {
        outer.section(&RawSection { id: *id, data: &guest[range.clone()] });
    }
    let mut leave = ComponentTypeSection::new();
    leave_type(&mut leave);
    let mut import = ComponentImportSection::new();
    import.import(LEAVE, ComponentTypeRef::Func(imports.types));
    outer.section(&leave).section(&import);
    let caller = caller(types.type_index)?.finish();
    // Beside each other: a component may not call one that is inside of it.
    for component in [guest, &caller] {
        outer.section(&RawSection { id: ComponentSectionId::Component.into(), data: component });
    }
    connect(&mut outer, &imports, types.instance, handler);
    Ok(outer.finish())
}

fn leave_type(types: &mut ComponentTypeSection) {
    let exchange = ComponentValType::Primitive(PrimitiveValType::U64);
    types.function().async_(true).params([("exchange", exchange)]).result(None);
}

/// Makes instances of the guest (the component 0) and of the caller (1), and exports the caller's
/// function. What the guest imports is there already, and the import `leave`.
fn connect(outer: &mut Component, imports: &Imports<'_>, types: u32, handler: &str) {
    const INSTANCE: ComponentExportKind = ComponentExportKind::Instance;
    const FUNC: ComponentExportKind = ComponentExportKind::Func;
    let export = |instance, kind, name| Alias::InstanceExport { instance, kind, name };
    let (guest, leave) = (imports.instances, imports.funcs);
    let mut instances = ComponentInstanceSection::new();
    instances.instantiate(0, imports.names.iter().copied());
    let mut aliases = ComponentAliasSection::new();
    aliases.alias(export(guest, INSTANCE, handler)).alias(export(guest + 1, FUNC, "handle"));
    let mut caller = ComponentInstanceSection::new();
    let args = [("types", INSTANCE, types), ("call", FUNC, leave + 1), (LEAVE, FUNC, leave)];
    caller.instantiate(1, args);
    let mut handle = ComponentAliasSection::new();
    handle.alias(export(guest + 2, FUNC, HANDLE));
    let mut exports = ComponentExportSection::new();
    exports.export(HANDLE, FUNC, leave + 2, None);
    outer.section(&instances).section(&aliases).section(&caller).section(&handle);
    outer.section(&exports);
}

/// The component that calls. `types` is the type of the instance `wasi:http/types` in the component
/// around it.
fn caller(types: u32) -> Result<Component, WrapError> {
    let mut caller = Component::new();
    let mut aliases = ComponentAliasSection::new();
    aliases.alias(Alias::Outer { kind: ComponentOuterAliasKind::Type, count: 1, index: types });
    let mut imports = ComponentImportSection::new();
    imports.import("types", ComponentTypeRef::Instance(0));
    caller.section(&aliases).section(&imports);
    caller_types(&mut caller);
    let mut imports = ComponentImportSection::new();
    imports.import("call", ComponentTypeRef::Func(CALL));
    imports.import(LEAVE, ComponentTypeRef::Func(CALL + 1));
    caller.section(&imports);
    for module in [MEMORY, CALLER] {
        let module = wat::parse_str(module)?;
        caller.section(&RawSection { id: ComponentSectionId::CoreModule.into(), data: &module });
    }
    core(&mut caller);
    let mut exports = ComponentExportSection::new();
    exports.export(HANDLE, ComponentExportKind::Func, 2, None);
    caller.section(&exports);
    Ok(caller)
}

/// Places among the types of the caller: after that of the instance, and `request`, `response` and
/// `error-code` from it.
const OWN_REQUEST: u32 = 4;
const OWN_RESPONSE: u32 = 5;
const RETURNED: u32 = 6;
const RESULT: u32 = 7;
/// The types of its functions: what it calls, `leave`, and what it exports.
const CALL: u32 = 8;
const HANDLED: u32 = 10;

fn caller_types(caller: &mut Component) {
    const U8: ComponentValType = ComponentValType::Primitive(PrimitiveValType::U8);
    const U64: ComponentValType = ComponentValType::Primitive(PrimitiveValType::U64);
    let ty = ComponentValType::Type;
    let mut aliases = ComponentAliasSection::new();
    for name in ["request", "response", "error-code"] {
        let kind = ComponentExportKind::Type;
        aliases.alias(Alias::InstanceExport { instance: 0, kind, name });
    }
    let mut types = ComponentTypeSection::new();
    types.defined_type().own(1);
    types.defined_type().own(2);
    types.defined_type().result(Some(ty(OWN_RESPONSE)), Some(ty(3)));
    types.defined_type().result(Some(ty(OWN_RESPONSE)), Some(U8));
    let request = ("request", ty(OWN_REQUEST));
    types.function().async_(true).params([request]).result(Some(ty(RETURNED)));
    leave_type(&mut types);
    types.function().async_(true).params([request, ("exchange", U64)]).result(Some(ty(RESULT)));
    caller.section(&aliases).section(&types);
}

/// The functions of `caller.wat`'s import `host`, in the order in which they are made below: from
/// the core function 1 on, for 0 is `realloc`.
const HOST: [&str; 10] =
    ["call", "leave", "return", "new-set", "drop-set", "join", "cancel", "drop", "get", "set"];

/// Makes instances of both modules, and what they need.
fn core(caller: &mut Component) {
    let no_args: [(&str, ModuleArg); 0] = [];
    let mut memory = InstanceSection::new();
    memory.instantiate(0, no_args);
    let export = |instance, kind, name| Alias::CoreInstanceExport { instance, kind, name };
    let mut aliases = ComponentAliasSection::new();
    aliases.alias(export(0, ExportKind::Memory, "memory"));
    aliases.alias(export(0, ExportKind::Func, "realloc"));
    let mut canonical = CanonicalFunctionSection::new();
    let (memory_option, realloc) = (CanonicalOption::Memory(0), CanonicalOption::Realloc(0));
    canonical
        .lower(0, [CanonicalOption::UTF8, CanonicalOption::Async, memory_option, realloc])
        .lower(1, [CanonicalOption::Async])
        .task_return(Some(ComponentValType::Type(RESULT)), [])
        .waitable_set_new()
        .waitable_set_drop()
        .waitable_join()
        .subtask_cancel(true)
        .subtask_drop()
        .context_get(ValType::I32, 0)
        .context_set(ValType::I32, 0);
    let mut instances = InstanceSection::new();
    let host = HOST.iter().zip(1..).map(|(name, func)| (*name, ExportKind::Func, func));
    instances.export_items(host.collect::<Vec<_>>());
    let args = [("memory", ModuleArg::Instance(0)), ("host", ModuleArg::Instance(1))];
    instances.instantiate(1, args);
    let mut exported = ComponentAliasSection::new();
    exported.alias(export(2, ExportKind::Func, "handle"));
    exported.alias(export(2, ExportKind::Func, "callback"));
    let mut lifted = CanonicalFunctionSection::new();
    lifted.lift(11, HANDLED, [CanonicalOption::Async, CanonicalOption::Callback(12)]);
    caller.section(&memory).section(&aliases).section(&canonical).section(&instances);
    caller.section(&exported).section(&lifted);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_component_is_refused() {
        for bytes in [&b""[..], b"junk", b"\0asm\x0d\0\x01\0"] {
            assert!(wrap(bytes, "wasi:http/handler@0.3.0").is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn the_caller_is_well_formed() {
        for module in [MEMORY, CALLER] {
            assert_eq!(wat::parse_str(module).err().map(|error| error.to_string()), None);
        }
    }
}
