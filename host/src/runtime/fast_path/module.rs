//! The core module of a component, found and checked without the component.

pub(super) use midge_contract::exchange::ATTEMPT_EXPORT as ATTEMPT;
use wasmparser::{BinaryReaderError, Parser, Payload};
use wasmtime::{Engine, ExternType, Module};

/// Exports of the module, by the names of the canonical ABI.
pub(super) const MEMORY: &str = "memory";
pub(super) const REALLOC: &str = "cabi_realloc";
/// A module with this export is initialized by its component.
const INITIALIZE: &str = "_initialize";

/// Why a component has no fast path.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoFastPath {
    #[error("none of its modules exports `{ATTEMPT}`")]
    NotExported,
    #[error("more than one of its modules exports `{ATTEMPT}`")]
    Ambiguous,
    #[error("it is composed of other components")]
    Composed,
    #[error("its module exports `{INITIALIZE}`, which only a component calls")]
    Initialize,
    #[error("its module does not export `{0}`")]
    Missing(&'static str),
    #[error("its module imports `{interface}#{name}`, which is not a function")]
    Import { interface: Box<str>, name: Box<str> },
    #[error("it cannot be parsed: {0}")]
    Parse(#[from] BinaryReaderError),
    #[error("its module cannot be compiled or linked: {0}")]
    Link(#[from] wasmtime::Error),
}

/// Finds and compiles the module that exports the fast path.
pub(super) fn compile(engine: &Engine, component: &[u8]) -> Result<Module, NoFastPath> {
    let module = Module::new(engine, find(component)?)?;
    if let Some(import) =
        module.imports().find(|import| !matches!(import.ty(), ExternType::Func(_)))
    {
        let (interface, name) = (import.module().into(), import.name().into());
        return Err(NoFastPath::Import { interface, name });
    }
    if module.get_export_index(INITIALIZE).is_some() {
        return Err(NoFastPath::Initialize);
    }
    Ok(module)
}

/// Finds the module. There must be exactly one, and no nested component with modules, which could
/// stand between this module and the host.
fn find(component: &[u8]) -> Result<&[u8], NoFastPath> {
    let (mut found, mut nested_end, mut is_composed) = (None, 0, false);
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::ComponentSection { unchecked_range, .. } => {
                nested_end = nested_end.max(unchecked_range.end);
            }
            Payload::ModuleSection { unchecked_range, .. } => {
                is_composed |= unchecked_range.start < nested_end;
                let module = component.get(unchecked_range).unwrap_or_default();
                if exports_fast_path(module) && found.replace(module).is_some() {
                    return Err(NoFastPath::Ambiguous);
                }
            }
            _ => {}
        }
    }
    let found = found.ok_or(NoFastPath::NotExported)?;
    if is_composed { Err(NoFastPath::Composed) } else { Ok(found) }
}

fn exports_fast_path(module: &[u8]) -> bool {
    Parser::new(0).parse_all(module).any(|payload| match payload {
        Ok(Payload::ExportSection(exports)) => {
            exports.into_iter().any(|export| export.is_ok_and(|export| export.name == ATTEMPT))
        }
        _ => false,
    })
}
