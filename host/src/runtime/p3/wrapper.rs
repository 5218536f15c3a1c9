//! Wraps a component of WASI 0.3, so that calls of it can be cancelled.
//!
//! In the component model a caller can cancel a call, and the guest then runs its destructors. wasmtime
//! has no such function for hosts ([issue 11833]). So the host calls a small component instead, which
//! calls the guest and cancels the call when a function of the host returns. An outer component holds
//! both, and imports what the guest imports.
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

/// The export that takes the place of the guest's handler: `async func(request, u64) ->
/// result<response, u8>`, where the number is that of the exchange.
pub(super) const HANDLE: &str = "handle";
/// The import that is added: `async func(u64)`, which returns when the call of that exchange is to be
/// cancelled.
pub(super) const CANCEL_SIGNAL: &str = "cancel-signal";
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

/// Builds the component around guest and caller. `handler` is the name of the guest's export.
pub(super) fn wrap(guest: &[u8], handler: &str) -> Result<Vec<u8>, WrapError> {
    let imports = Imports::read(guest)?;
    let types = imports.http_types.ok_or(WrapError::NoTypes)?;
    let mut outer = Component::new();
    for (id, range) in &imports.sections {
        outer.section(&RawSection { id: *id, data: &guest[range.clone()] });
    }
    let mut signal = ComponentTypeSection::new();
    signal_type(&mut signal);
    let mut import = ComponentImportSection::new();
    import.import(CANCEL_SIGNAL, ComponentTypeRef::Func(imports.types));
    outer.section(&signal).section(&import);
    let caller = caller(types.type_index)?.finish();
    // Side by side: a component may not call one that is nested in it.
    for component in [guest, &caller] {
        outer.section(&RawSection { id: ComponentSectionId::Component.into(), data: component });
    }
    connect(&mut outer, &imports, types.instance, handler);
    Ok(outer.finish())
}

fn signal_type(types: &mut ComponentTypeSection) {
    let exchange = ComponentValType::Primitive(PrimitiveValType::U64);
    types.function().async_(true).params([("exchange", exchange)]).result(None);
}

/// Instantiates the guest (component 0) and the caller (component 1), and exports the function of the
/// caller. The imports of the guest and the cancel signal are there already.
fn connect(outer: &mut Component, imports: &Imports<'_>, types: u32, handler: &str) {
    const INSTANCE: ComponentExportKind = ComponentExportKind::Instance;
    const FUNC: ComponentExportKind = ComponentExportKind::Func;
    let export = |instance, kind, name| Alias::InstanceExport { instance, kind, name };
    let (guest, signal) = (imports.instances, imports.funcs);
    let mut instances = ComponentInstanceSection::new();
    instances.instantiate(0, imports.names.iter().copied());
    let mut aliases = ComponentAliasSection::new();
    aliases.alias(export(guest, INSTANCE, handler)).alias(export(guest + 1, FUNC, "handle"));
    let mut caller = ComponentInstanceSection::new();
    let args =
        [("types", INSTANCE, types), ("call", FUNC, signal + 1), (CANCEL_SIGNAL, FUNC, signal)];
    caller.instantiate(1, args);
    let mut handle = ComponentAliasSection::new();
    handle.alias(export(guest + 2, FUNC, HANDLE));
    let mut exports = ComponentExportSection::new();
    exports.export(HANDLE, FUNC, signal + 2, None);
    outer.section(&instances).section(&aliases).section(&caller).section(&handle);
    outer.section(&exports);
}

/// Builds the calling component. `types` is the type of the instance `wasi:http/types` in the outer
/// component.
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
    imports.import(CANCEL_SIGNAL, ComponentTypeRef::Func(CALL + 1));
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

/// Indices of the types of the caller. Before them are that of the instance, and its `request`,
/// `response` and `error-code`.
const OWN_REQUEST: u32 = 4;
const OWN_RESPONSE: u32 = 5;
const RETURNED: u32 = 6;
const RESULT: u32 = 7;
/// The types of its functions: the handler, the cancel signal (`CALL + 1`), and the export.
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
    signal_type(&mut types);
    types.function().async_(true).params([request, ("exchange", U64)]).result(Some(ty(RESULT)));
    caller.section(&aliases).section(&types);
}

/// The functions of the import `host` of `caller.wat`, in the order in which they are defined below. Core
/// function 0 is `realloc`, so they begin at 1.
const HOST: [&str; 10] =
    ["call", "signal", "return", "new-set", "drop-set", "join", "cancel", "drop", "get", "set"];

/// Instantiates both modules with the functions that they need.
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
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::Index};
    use wasmparser::Parser;

    use super::{super::imports::handler_name, *};

    #[test]
    fn bytes_that_are_no_component_are_refused() {
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

    const HANDLER: &str = "wasi:http/handler@0.3.0";

    /// A component with all kinds of sections that are read.
    fn guest() -> Vec<u8> {
        let text = r#"(component
            (type $types (instance
                (export "request" (type (sub resource)))
                (export "response" (type (sub resource)))
                (type $code (variant (case "other")))
                (export "error-code" (type (eq $code)))))
            (import "wasi:http/types@0.3.0" (instance $http (type $types)))
            (alias export $http "request" (type $request))
            (core type (func (param i32)))
            (type $log (func (param "line" string)))
            (import "log" (func $log (type $log)))
            (import "clock" (instance (export "now" (func (result u64)))))
            (@custom "before" "text")
            (core module $module (func (export "f") (param i32)))
            (core instance $core (instantiate $module))
            (component $inner (type (func)) (component (import "x" (func))))
            (component $handler
                (import "request" (type $request (sub resource)))
                (export "request" (type $request)))
            (instance $handled (instantiate $handler (with "request" (type $request))))
            (export "wasi:http/handler@0.3.0" (instance $handled)))"#;
        wat::parse_str(text).unwrap()
    }

    /// What can happen to bytes.
    #[derive(Clone, Debug)]
    enum Damage {
        Change(Index, u8),
        Cut(Index),
        Remove(Index, usize),
        Insert(Index, Vec<u8>),
        Repeat(Index, usize),
    }

    impl Damage {
        fn apply(&self, bytes: &mut Vec<u8>) {
            let end = |at: usize, length: &usize| (at + length).min(bytes.len());
            match self {
                Self::Change(at, by) if !bytes.is_empty() => {
                    let at = at.index(bytes.len());
                    bytes[at] ^= by;
                }
                Self::Change(..) => {}
                Self::Cut(at) => bytes.truncate(at.index(bytes.len() + 1)),
                Self::Remove(at, length) => {
                    let at = at.index(bytes.len() + 1);
                    let end = end(at, length);
                    bytes.drain(at..end);
                }
                Self::Insert(at, added) => {
                    let at = at.index(bytes.len() + 1);
                    bytes.splice(at..at, added.iter().copied());
                }
                Self::Repeat(at, length) => {
                    let at = at.index(bytes.len() + 1);
                    bytes.extend_from_within(at..end(at, length));
                }
            }
        }
    }

    fn damage() -> impl Strategy<Value = Damage> {
        prop_oneof![
            6 => (any::<Index>(), 1..=u8::MAX).prop_map(|(at, by)| Damage::Change(at, by)),
            1 => any::<Index>().prop_map(Damage::Cut),
            2 => (any::<Index>(), 1..60_usize).prop_map(|(at, length)| Damage::Remove(at, length)),
            2 => (any::<Index>(), vec(any::<u8>(), 1..20)).prop_map(|(at, added)| Damage::Insert(at, added)),
            1 => (any::<Index>(), 1..60_usize).prop_map(|(at, length)| Damage::Repeat(at, length)),
        ]
    }

    fn is_readable(component: &[u8]) -> bool {
        Parser::new(0).parse_all(component).all(|payload| payload.is_ok())
    }

    #[test]
    fn a_component_with_all_kinds_of_sections_is_wrapped() {
        let guest = guest();
        assert_eq!(handler_name(&guest), Some(HANDLER));
        let wrapped = wrap(&guest, HANDLER).unwrap();
        assert!(is_readable(&wrapped));
        let imports = Imports::read(&wrapped).unwrap();
        let names: Vec<_> = imports.names.iter().map(|(name, ..)| *name).collect();
        assert_eq!(names, ["wasi:http/types@0.3.0", "log", "clock", CANCEL_SIGNAL]);
    }

    proptest! {
        #[test]
        fn damaged_components_are_wrapped_or_refused(damages in vec(damage(), 1..5)) {
            let mut bytes = guest();
            damages.iter().for_each(|damage| damage.apply(&mut bytes));
            handler_name(&bytes);
            // A nested section may claim more bytes than there are; the engine refuses that later.
            if let Ok(wrapped) = wrap(&bytes, HANDLER)
                && is_readable(&wrapped)
            {
                let [guest, wrapped] = [&bytes, &wrapped].map(|bytes| Imports::read(bytes).unwrap());
                prop_assert_eq!(&wrapped.names[..guest.names.len()], &guest.names[..]);
                prop_assert_eq!(wrapped.names.len(), guest.names.len() + 1);
                prop_assert_eq!(wrapped.types, guest.types + 1);
            }
        }

        #[test]
        fn any_bytes_are_no_component(bytes in vec(any::<u8>(), 0..60)) {
            let component = [&b"\0asm\x0d\0\x01\0"[..], &bytes].concat();
            handler_name(&component);
            prop_assert!(wrap(&component, HANDLER).is_err());
        }
    }
}
