//! The rules of Spin's manifests, version 2, as Spin's own reader has them: `crates/manifest` and
//! `crates/http` of Spin 4 (github.com/spinframework/spin), which are not on crates.io. What it
//! reads and we never write, such as dependencies, is left out, and so refused.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::Deserialize;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    spin_manifest_version: u32,
    application: Application,
    #[serde(default)]
    variables: BTreeMap<String, Variable>,
    #[serde(default)]
    trigger: Triggers,
    component: BTreeMap<String, Component>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Application {
    name: String,
    version: Option<String>,
    description: Option<String>,
    authors: Option<Vec<String>>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Variable {
    #[serde(default)]
    required: bool,
    default: Option<String>,
    #[serde(default)]
    secret: bool,
    description: Option<String>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Triggers {
    #[serde(default)]
    http: Vec<Http>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Http {
    route: String,
    component: String,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Component {
    source: Option<String>,
    description: Option<String>,
    #[serde(default)]
    variables: BTreeMap<String, String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    #[serde(default)]
    allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    key_value_stores: Vec<String>,
    #[serde(default)]
    sqlite_databases: Vec<String>,
    build: Option<Build>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Build {
    command: String,
    workdir: Option<PathBuf>,
    #[serde(default)]
    watch: Vec<String>,
}

/// What is wrong with a manifest; without a folder nothing is said of files.
pub(super) fn check(text: &str, folder: Option<&Path>) -> Vec<String> {
    match toml::from_str::<Manifest>(text) {
        Ok(manifest) => {
            let mut problems = manifest.problems();
            problems.extend(folder.iter().flat_map(|folder| manifest.problems_of_files(folder)));
            problems
        }
        Err(error) => vec![error.to_string()],
    }
}

impl Manifest {
    fn problems(&self) -> Vec<String> {
        let mut problems = self.problems_of_components();
        let mut wrong = |is_right: bool, what: String| {
            if !is_right {
                problems.push(what);
            }
        };
        let Application { name, version, .. } = &self.application;
        wrong(self.spin_manifest_version == 2, "the version is not 2".to_owned());
        wrong(!name.is_empty(), "the application has no name".to_owned());
        let digits = |part: &str| part.parse::<u32>().is_ok();
        let is_version =
            |text: &String| text.split('.').count() == 3 && text.split('.').all(digits);
        wrong(version.as_ref().is_none_or(is_version), format!("no version: {version:?}"));
        wrong(!self.trigger.http.is_empty(), "there is no trigger".to_owned());
        for Http { route, component } in &self.trigger.http {
            wrong(route.starts_with('/'), format!("route `{route}`"));
            wrong(self.component.contains_key(component), format!("no component `{component}`"));
        }
        for component in self.component.keys() {
            let used = self.trigger.http.iter().any(|http| http.component == *component);
            wrong(used, format!("nothing triggers `{component}`"));
        }
        for component in self.component.values() {
            wrong(component.source.is_some(), "a component has no source".to_owned());
        }
        problems
    }

    /// What is wrong with variables and components, whatever triggers them.
    pub(super) fn problems_of_components(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, variable) in &self.variables {
            if !is_id(name, '_') {
                problems.push(format!("variable `{name}` is not lower snake case"));
            }
            if variable.required == variable.default.is_some() {
                problems.push(format!("variable `{name}` is either required or has a default"));
            }
        }
        for (name, component) in &self.component {
            let own = self.problems_of(component);
            let id = (!is_id(name, '-')).then(|| "it is not kebab case".to_owned());
            problems
                .extend(own.into_iter().chain(id).map(|why| format!("component `{name}`: {why}")));
        }
        problems
    }

    fn problems_of(&self, component: &Component) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, value) in &component.variables {
            if !is_id(name, '_') {
                problems.push(format!("variable `{name}` is not lower snake case"));
            }
            problems.extend(self.undeclared(value));
        }
        for host in &component.allowed_outbound_hosts {
            problems.extend(self.undeclared(host));
            if !is_outbound_host(host) {
                problems.push(format!("`{host}` is not SCHEME://HOST[:PORT]"));
            }
        }
        for label in component.key_value_stores.iter().chain(&component.sqlite_databases) {
            if !is_id(label, '-') && !is_id(label, '_') {
                problems.push(format!("label `{label}` is neither kebab nor snake case"));
            }
        }
        problems
    }

    /// What a template names that the application does not declare.
    fn undeclared(&self, template: &str) -> Vec<String> {
        let mut problems = Vec::new();
        let mut rest = template;
        while let Some((_, after)) = rest.split_once("{{") {
            let Some((name, after)) = after.split_once("}}") else {
                problems.push(format!("`{template}` does not end"));
                break;
            };
            if !self.variables.contains_key(name.trim()) {
                problems.push(format!("`{}` is not declared", name.trim()));
            }
            rest = after;
        }
        problems
    }

    fn problems_of_files(&self, folder: &Path) -> Vec<String> {
        let builds = self.component.values().filter_map(|component| {
            Some((component.source.as_deref()?, component.build.as_ref()?))
        });
        let mut problems = Vec::new();
        for (source, build) in builds {
            let made = build.made();
            let below = |made: &String| match &build.workdir {
                Some(folder) => format!("{}/{made}", folder.display()),
                None => made.clone(),
            };
            if !made.iter().any(|made| source == below(made)) {
                problems.push(format!("the command makes {made:?}, not `{source}`"));
            }
            let folder = build.workdir.as_ref().map_or(folder.to_owned(), |dir| folder.join(dir));
            for pattern in &build.watch {
                let fixed = pattern.split('*').next().unwrap_or_default();
                // A project that is made from a template has a lock file after its first build, and
                // its manifest is not that of the template.
                let is_there = ["Cargo.toml", "Cargo.lock"].contains(&fixed);
                if !is_there && !folder.join(fixed).exists() {
                    problems.push(format!("there is no `{fixed}` to watch"));
                }
            }
        }
        problems
    }
}

impl Build {
    /// What the command may make, below the folder that cargo builds into.
    fn made(&self) -> Vec<String> {
        let words: Vec<&str> = self.command.split_whitespace().collect();
        let after = |flag: &str| {
            words.iter().position(|word| *word == flag).and_then(|at| words.get(at + 1).copied())
        };
        let profile = match after("--profile") {
            Some(profile) => profile,
            None if words.contains(&"--release") => "release",
            None => "debug",
        };
        let folder = format!("target/{}/{profile}", after("--target").unwrap_or("?"));
        match after("--example") {
            Some(example) => vec![format!("{folder}/examples/{example}.wasm")],
            None => vec![format!("{folder}/my_server.wasm")],
        }
    }
}

/// Words of lower-case letters and digits, the first of which starts with a letter.
fn is_id(text: &str, between: char) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.split(between).all(|word| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        })
}

fn is_outbound_host(text: &str) -> bool {
    text.split_once("://")
        .is_some_and(|(scheme, host)| !scheme.is_empty() && !host.is_empty() && !host.contains('/'))
}

const GOOD: &str = r#"
spin_manifest_version = 2

[application]
name = "x"
version = "1.0.0"

[variables]
key = { required = true, secret = true }

[[trigger.http]]
route = "/mcp"
component = "my-server"

[component.my-server]
source = "target/wasm32-wasip2/release/my_server.wasm"
allowed_outbound_hosts = ["https://{{ key }}.example.com"]
key_value_stores = ["default"]

[component.my-server.variables]
key = "{{ key }}"

[component.my-server.build]
command = "cargo build --release --target wasm32-wasip2"
"#;

#[test]
fn each_rule_finds_what_breaks_it() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(check(GOOD, Some(here)), [""; 0]);
    for (right, wrong, says) in [
        ("version = 2", "version = 1", "the version is not 2"),
        ("name = \"x\"", "name = \"x\"\ntargets = 1", "unknown field"),
        ("secret = true", "secrets = true", "unknown field"),
        ("key_value_stores", "key_value_store", "unknown field"),
        ("\"1.0.0\"", "\"1.0\"", "no version"),
        ("required = true", "required = false", "either required or has a default"),
        ("required = true", "required = true, default = \"\"", "either required or has a default"),
        ("route = \"/mcp\"", "route = \"mcp\"", "route `mcp`"),
        ("component = \"my-server\"", "component = \"other\"", "no component `other`"),
        ("component = \"my-server\"", "component = \"other\"", "nothing triggers `my-server`"),
        ("my-server", "my_server", "not kebab case"),
        ("[\"default\"]", "[\"b@d\"]", "neither kebab nor snake case"),
        ("https://", "", "SCHEME://HOST"),
        ("key = \"{{ key }}\"", "key = \"{{ kee }}\"", "`kee` is not declared"),
        ("key = \"{{ key }}\"", "key = \"{{ key\"", "does not end"),
        ("key = \"{{ key }}\"", "my-key = \"\"", "not lower snake case"),
        ("--release", "--profile x", "the command makes"),
        ("wasip2\"\n", "wasip2\"\nworkdir = \"..\"\n", "the command makes"),
        ("wasm32-wasip2\"\n", "wasm32-wasip2\"\nwatch = [\"surely/not/*\"]\n", "to watch"),
    ] {
        assert!(GOOD.contains(right), "{right}");
        let problems = check(&GOOD.replace(right, wrong), Some(here));
        assert!(problems.iter().any(|problem| problem.contains(says)), "{wrong}: {problems:?}");
    }
}
