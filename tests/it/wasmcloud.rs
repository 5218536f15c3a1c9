//! The manifest for wasmCloud is of the form that its operator reads, and grants what the component
//! imports.
//!
//! The form is that of the custom resource `workloaddeployments.runtime.wasmcloud.dev`, `v1alpha1`,
//! in `runtime-operator/config/crd/bases` of wasmCloud 2 (github.com/wasmCloud/wasmCloud). What it
//! has and we never write, such as volumes, is left out, and so refused.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use midge_tests::guests;
use serde::Deserialize;

use crate::wasi::imports;

const MANIFEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/wasmcloud.yaml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Manifest {
    api_version: String,
    kind: String,
    metadata: Metadata,
    spec: Deployment,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Deployment {
    replicas: u32,
    template: Template,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Template {
    spec: Workload,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Workload {
    host_selector: BTreeMap<String, String>,
    host_interfaces: Vec<Interfaces>,
    components: Vec<Component>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Interfaces {
    namespace: String,
    package: String,
    version: Option<String>,
    interfaces: Vec<String>,
    #[serde(default)]
    config: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Component {
    name: String,
    image: String,
    local_resources: Resources,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Resources {
    allowed_hosts: Vec<String>,
    environment: Environment,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Environment {
    config: BTreeMap<String, String>,
}

fn manifest() -> Manifest {
    let text = fs::read_to_string(MANIFEST).unwrap();
    serde_yaml_ng::from_str(&text).unwrap_or_else(|error| panic!("{MANIFEST}: {error}"))
}

#[test]
fn the_manifest_is_of_the_form_that_the_operator_reads() {
    let Manifest { api_version, kind, metadata, spec } = manifest();
    assert_eq!(api_version, "runtime.wasmcloud.dev/v1alpha1");
    assert_eq!(kind, "WorkloadDeployment");
    assert_eq!(spec.replicas, 1);
    let Workload { host_selector, host_interfaces, components } = spec.template.spec;
    assert_eq!(host_selector.into_iter().next(), Some(("hostgroup".into(), "default".into())));
    let http = &host_interfaces[0];
    assert_eq!((&*http.namespace, &*http.package), ("wasi", "http"));
    assert!(http.config.contains_key("host"), "whom clients call: {http:?}");
    let [component] = components.as_slice() else { panic!("one component: {components:?}") };
    let is_label = |name: &str| name.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    assert!(is_label(&metadata.name) && is_label(&component.name), "{metadata:?} {component:?}");
    assert!(component.image.contains('/') && component.image.contains(':'), "{component:?}");
    let Resources { allowed_hosts, environment } = &component.local_resources;
    assert_eq!(allowed_hosts, &[""; 0]);
    assert!(environment.config.contains_key("allowed_origins"), "{environment:?}");
}

/// WASI 0.2 itself and HTTP are always there; drafts are by name, in the version of the component.
#[test]
fn the_manifest_grants_the_drafts_that_the_component_imports() {
    let granted = manifest().spec.template.spec.host_interfaces.into_iter().flat_map(|grant| {
        let Interfaces { namespace, package, version, interfaces, .. } = grant;
        let version = version.unwrap_or_default();
        let name = move |interface| format!("{namespace}:{package}/{interface}@{version}");
        interfaces.into_iter().map(name)
    });
    let granted: BTreeSet<String> = granted.collect();
    let imported = imports(guests::NOTES).into_iter();
    let drafts: Vec<String> = imported.filter(|name| name.contains("0.2.0-")).collect();
    assert!(drafts.len() >= 2, "{drafts:?}");
    for draft in drafts {
        assert!(granted.contains(&draft), "{draft} is not among {granted:?}");
    }
}
