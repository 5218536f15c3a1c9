//! Imports and exports of a component, read from its bytes.

use std::ops::Range;

use wasm_encoder::{ComponentExportKind, ComponentSectionId};
use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentOuterAliasKind, ComponentTypeRef, Parser,
    Payload,
};

/// Why the imports of a component cannot be repeated.
#[derive(Debug, thiserror::Error)]
pub(super) enum ImportsError {
    #[error(transparent)]
    Unreadable(#[from] wasmparser::BinaryReaderError),
    #[error("its imports are not at its beginning")]
    Misplaced,
}

/// The first sections of a component, up to its last import: enough to import the same again.
#[derive(Default)]
pub(super) struct Imports<'a> {
    /// Id and byte range of each section.
    pub(super) sections: Vec<(u8, Range<usize>)>,
    /// Name, kind and index of each import.
    pub(super) names: Vec<(&'a str, ComponentExportKind, u32)>,
    /// Numbers of types, instances and functions after these sections.
    pub(super) types: u32,
    pub(super) instances: u32,
    pub(super) funcs: u32,
    components: u32,
    modules: u32,
    /// The import that has the types of requests and responses.
    pub(super) http_types: Option<HttpTypes>,
}

/// The import `wasi:http/types`.
#[derive(Clone, Copy)]
pub(super) struct HttpTypes {
    pub(super) instance: u32,
    pub(super) type_index: u32,
}

impl<'a> Imports<'a> {
    pub(super) fn read(component: &'a [u8]) -> Result<Self, ImportsError> {
        let (mut imports, mut is_over, mut depth) = (Self::default(), false, 0);
        for payload in Parser::new(0).parse_all(component) {
            let payload = payload?;
            match &payload {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth -= 1,
                Payload::ComponentImportSection(_) if depth == 0 && is_over => {
                    return Err(ImportsError::Misplaced);
                }
                _ => {}
            }
            if depth == 0 && !is_over {
                is_over = !imports.add(payload)?;
            } else {
                is_over = true;
            }
        }
        // Their indices would collide with those of the wrapper.
        if imports.components + imports.modules > 0 {
            Err(ImportsError::Misplaced)
        } else {
            Ok(imports)
        }
    }

    /// Adds a section. Returns `false` for the first one that does not belong to the imports.
    fn add(&mut self, payload: Payload<'a>) -> Result<bool, ImportsError> {
        let (id, range) = match payload {
            Payload::Version { .. } | Payload::CustomSection(_) => return Ok(true),
            Payload::CoreTypeSection(types) => (ComponentSectionId::CoreType, types.range()),
            Payload::ComponentTypeSection(types) => {
                self.types += types.count();
                (ComponentSectionId::Type, types.range())
            }
            Payload::ComponentAliasSection(aliases) => {
                let range = aliases.range();
                for alias in aliases {
                    self.alias(alias?);
                }
                (ComponentSectionId::Alias, range)
            }
            Payload::ComponentImportSection(imports) => {
                let range = imports.range();
                for import in imports {
                    let import = import?;
                    self.import(import.name.name, import.ty);
                }
                (ComponentSectionId::Import, range)
            }
            _ => return Ok(false),
        };
        self.sections.push((id.into(), range));
        Ok(true)
    }

    fn alias(&mut self, alias: ComponentAlias<'_>) {
        match alias {
            ComponentAlias::InstanceExport { kind, .. } => {
                self.count(kind);
            }
            ComponentAlias::Outer { kind: ComponentOuterAliasKind::Type, .. } => self.types += 1,
            // There is no outer component.
            ComponentAlias::Outer { .. } | ComponentAlias::CoreInstanceExport { .. } => {}
        }
    }

    fn import(&mut self, name: &'a str, ty: ComponentTypeRef) {
        let (kind, index) = self.count(ty.kind());
        if let ComponentTypeRef::Instance(type_index) = ty
            && name.starts_with("wasi:http/types@0.3.")
        {
            self.http_types = Some(HttpTypes { instance: index, type_index });
        }
        self.names.push((name, kind, index));
    }

    /// Counts an item, and returns its kind and index.
    fn count(&mut self, kind: ComponentExternalKind) -> (ComponentExportKind, u32) {
        let mut values = 0;
        let (kind, next) = match kind {
            ComponentExternalKind::Type => (ComponentExportKind::Type, &mut self.types),
            ComponentExternalKind::Instance => (ComponentExportKind::Instance, &mut self.instances),
            ComponentExternalKind::Func => (ComponentExportKind::Func, &mut self.funcs),
            ComponentExternalKind::Component => {
                (ComponentExportKind::Component, &mut self.components)
            }
            ComponentExternalKind::Module => (ComponentExportKind::Module, &mut self.modules),
            ComponentExternalKind::Value => (ComponentExportKind::Value, &mut values),
        };
        *next += 1;
        (kind, *next - 1)
    }
}

/// Returns the name of the export that handles requests of WASI 0.3, if the component has one.
pub(crate) fn handler_name(component: &[u8]) -> Option<&str> {
    let mut depth = 0;
    for payload in Parser::new(0).parse_all(component) {
        match payload.ok()? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentExportSection(exports) if depth == 0 => {
                let names = exports.into_iter().flatten().map(|export| export.name.name);
                let handler =
                    names.into_iter().find(|name| name.starts_with("wasi:http/handler@0.3."));
                if handler.is_some() {
                    return handler;
                }
            }
            _ => {}
        }
    }
    None
}
