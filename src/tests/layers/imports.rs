//! Which files of a source tree import which others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Path of a module, from the root of its crate.
pub(super) type Module = Vec<String>;

/// The modules of a source tree that are files, with the code of each.
pub(super) struct Tree(BTreeMap<Module, String>);

/// An import: a path and the name it is bound to.
struct Import {
    path: Vec<String>,
    name: String,
}

impl Tree {
    /// Reads the tree in `folder`, relative to the root of the repository. Unit tests are left out:
    /// they may import everything.
    pub(super) fn read(folder: &str) -> Self {
        let mut tree = Self(BTreeMap::new());
        tree.add(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &[]);
        tree
    }

    fn add(&mut self, folder: &Path, module: &[String]) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let is_root = matches!(name.as_str(), "lib" | "main" | "mod");
            let inner = if is_root {
                module.to_vec()
            } else {
                [module, std::slice::from_ref(&name)].concat()
            };
            if path.is_dir() && name != "tests" {
                self.add(&path, &inner);
            } else if path.extension().is_some_and(|extension| extension == "rs") && name != "main"
            {
                self.0.insert(inner, code(&fs::read_to_string(&path).unwrap()));
            }
        }
    }

    /// Modules, and those that each imports or declares. The root of the crate is left out.
    pub(super) fn arrows(&self) -> BTreeMap<&Module, BTreeSet<Module>> {
        let modules = self.0.iter().filter(|(module, _)| !module.is_empty());
        modules.map(|(module, code)| (module, self.imported(module, code))).collect()
    }

    fn imported(&self, module: &Module, code: &str) -> BTreeSet<Module> {
        let declared = code.lines().filter_map(|line| {
            let name = line.trim().strip_suffix(';')?.rsplit_once("mod ")?.1;
            Some([&module[..], &[name.to_owned()]].concat())
        });
        let named = uses(code).into_iter().chain(inline(code));
        let named = named.filter_map(|import| self.resolve(module, &import.path));
        let all = declared.filter(|declared| self.0.contains_key(declared)).chain(named);
        all.filter(|other| other != module && !other.is_empty()).collect()
    }

    /// The module in which what a path names is defined. `None` for paths into other crates.
    fn resolve(&self, from: &Module, path: &[String]) -> Option<Module> {
        let (mut at, mut rest) = match path[0].as_str() {
            "crate" => (Module::new(), &path[1..]),
            "self" => (from.clone(), &path[1..]),
            "super" => (from[..from.len() - 1].to_vec(), &path[1..]),
            child => {
                let child = [&from[..], &[child.to_owned()]].concat();
                self.0.contains_key(&child).then_some((child, &path[1..]))?
            }
        };
        while let Some((name, after)) = rest.split_first() {
            let inner = [&at[..], std::slice::from_ref(name)].concat();
            if name == "super" {
                at.pop();
            } else if self.0.contains_key(&inner) {
                at = inner;
            } else {
                let reexport =
                    uses(self.0.get(&at)?).into_iter().find(|import| import.name == *name);
                return match reexport {
                    Some(import) if import.path != path => self.resolve(&at, &import.path),
                    _ => Some(at),
                };
            }
            rest = after;
        }
        Some(at)
    }
}

/// The lines of a file without comments and unit tests.
fn code(text: &str) -> String {
    let tests = text.find("\n#[cfg(test)]\nmod ").or_else(|| text.find("\n#[cfg(test)]\n#[allow("));
    let lines = text[..tests.unwrap_or(text.len())].lines();
    lines.filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// What `use` statements import.
fn uses(code: &str) -> Vec<Import> {
    let mut imports = Vec::new();
    let mut rest = code;
    while let Some(at) = rest.find("use ") {
        let before = rest[..at].lines().next_back().unwrap_or_default().trim();
        rest = &rest[at + "use ".len()..];
        if before.is_empty() || before.starts_with("pub") {
            expand(rest, &[], &mut imports);
        }
    }
    imports
}

/// Paths within this crate that are written where they are needed.
fn inline(code: &str) -> Vec<Import> {
    let mut imports = Vec::new();
    for root in ["crate::", "super::", "self::"] {
        for (at, _) in code.match_indices(root) {
            let is_inside = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
            if !code[..at].ends_with(is_inside) {
                expand(&code[at..], &[], &mut imports);
            }
        }
    }
    imports
}

/// Adds all imports of a tree such as `a::{b, c::d}`, and returns the text after it.
fn expand<'a>(text: &'a str, prefix: &[String], imports: &mut Vec<Import>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut group) = text.strip_prefix('{') {
        loop {
            group = expand(group, prefix, imports).trim_start();
            match group.strip_prefix(',').map(str::trim_start) {
                Some(more) if !more.starts_with('}') => group = more,
                Some(end) => return &end[1..],
                None => return group.strip_prefix('}').unwrap_or(group),
            }
        }
    }
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let mut path = prefix.to_vec();
    // `a::{self}` is `a`.
    if name != "self" || prefix.is_empty() {
        path.push(name.to_owned());
    }
    if let Some(inner) = rest.strip_prefix("::")
        && inner.trim_start().starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '{')
    {
        return expand(inner, &path, imports);
    }
    let alias = rest.trim_start().strip_prefix("as ");
    let name = path.last().cloned().unwrap_or_default();
    imports.push(Import { path, name });
    match alias {
        Some(alias) => alias.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_'),
        None => rest,
    }
}
