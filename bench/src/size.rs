//! What the bytes of a component are: by section, and its code by crate.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use wasmparser::{KnownCustom, Name, Parser, Payload};

use crate::{
    artifacts::{self, Artifacts},
    error::BenchError,
};

/// Crates with less code than this are added up.
const LITTLE: usize = 1000;

/// Bytes by what they are.
#[derive(Default)]
struct Parts {
    sections: BTreeMap<&'static str, usize>,
    /// Code by the place of its function among all that have code.
    functions: Vec<usize>,
    names: BTreeMap<u32, String>,
    imports: u32,
}

/// Tells about all components.
pub(crate) fn measure(artifacts: &Artifacts) -> Result<String, BenchError> {
    let names = artifacts.names();
    artifacts.components(Some(&names))?;
    let mut text = String::new();
    for name in ["hello", "trivial"] {
        let path = artifacts.component(name);
        let size = read(&path)?.len();
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name}: {size} bytes");
        let path = artifacts::component(&names, name);
        let parts = parts(&path, &read(&path)?)?;
        list(&mut text, parts.sections.iter().map(|(name, size)| (*name, *size)));
        let _ = writeln!(text, "  code by crate:");
        let crates = parts.crates();
        list(&mut text, crates.iter().map(|(name, size)| (name.as_str(), *size)));
    }
    Ok(text)
}

fn read(path: &Path) -> Result<Vec<u8>, BenchError> {
    fs::read(path).map_err(|source| BenchError::File { path: path.to_owned(), source })
}

fn list<'a>(text: &mut String, parts: impl Iterator<Item = (&'a str, usize)>) {
    let mut parts: Vec<_> = parts.collect();
    parts.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    for (name, size) in parts {
        // Writing to a string does not fail.
        let _ = writeln!(text, "    {size:>8} {name}");
    }
}

/// The parts of the largest module in a component, the guest itself.
fn parts(path: &Path, bytes: &[u8]) -> Result<Parts, BenchError> {
    let refuse = |error: wasmparser::BinaryReaderError| BenchError::Format {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let mut modules = vec![Parts::default()];
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.map_err(refuse)?;
        if let Payload::ModuleSection { .. } = payload {
            modules.push(Parts::default());
        } else if let Some(parts) = modules.last_mut() {
            parts.add(payload).map_err(refuse)?;
        }
    }
    Ok(modules.into_iter().max_by_key(|parts| parts.functions.len()).unwrap_or_default())
}

impl Parts {
    fn add(&mut self, payload: Payload<'_>) -> wasmparser::Result<()> {
        match payload {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    let is_function = matches!(import?.ty, wasmparser::TypeRef::Func(_));
                    self.imports += u32::from(is_function);
                }
            }
            Payload::CodeSectionEntry(body) => {
                let size = body.range().len();
                *self.sections.entry("code").or_default() += size;
                self.functions.push(size);
            }
            Payload::DataSection(data) => {
                *self.sections.entry("data").or_default() += data.range().len();
            }
            Payload::CustomSection(custom) => {
                if let KnownCustom::Name(names) = custom.as_known() {
                    self.name(names)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn name(&mut self, names: wasmparser::NameSectionReader<'_>) -> wasmparser::Result<()> {
        for name in names {
            if let Name::Function(functions) = name? {
                for function in functions {
                    let function = function?;
                    self.names.insert(function.index, function.name.to_owned());
                }
            }
        }
        Ok(())
    }

    fn crates(&self) -> BTreeMap<String, usize> {
        let mut crates: BTreeMap<String, usize> = BTreeMap::new();
        for (index, size) in (self.imports..).zip(&self.functions) {
            let name = self.names.get(&index).map_or("", String::as_str);
            *crates.entry(crate_of(name)).or_default() += size;
        }
        let little: usize = crates.values().filter(|size| **size < LITTLE).sum();
        crates.retain(|_, size| *size >= LITTLE);
        *crates.entry("others".to_owned()).or_default() += little;
        crates
    }
}

/// The crate in a mangled name; for an implementation, the crate of the type it is for. C has
/// none.
fn crate_of(mangled: &str) -> String {
    let name = rustc_demangle::demangle(mangled).to_string();
    let start = name.trim_start_matches(['<', '&', '[', '(', '*']);
    let start = ["mut ", "const ", "dyn "].iter().fold(start, |s, word| s.trim_start_matches(word));
    let end = start.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(start.len());
    match &start[end..] {
        rest if rest.starts_with("::") || rest.starts_with('[') => start[..end].to_owned(),
        _ => "no crate".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crate_is_the_first_part_of_a_name() {
        assert_eq!(crate_of("_ZN10serde_json2de5from_17h0123456789abcdefE"), "serde_json");
        assert_eq!(crate_of("<&mut midge::http::Exchange as core::fmt::Debug>::fmt"), "midge");
        assert_eq!(crate_of("memcpy"), "no crate");
    }
}
