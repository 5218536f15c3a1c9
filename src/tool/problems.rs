//! What clients would hold against a tool, and what it would let through, for its author to know.

use serde_json::Value;

use super::{HeaderParam, Output, Tool};
use crate::protocol::meta;
use crate::schema;

impl Tool {
    /// What in the tool's schemas is malformed or not enforced.
    fn schema_problems(&self, input: &Value) -> Vec<String> {
        let extras = self.extras.as_ref();
        let mut problems = Vec::new();
        if extras.and_then(|extras| extras.check_arguments).is_some() {
            let unenforced = schema::problems(input).into_iter();
            problems.extend(unenforced.map(|why| format!("the input schema's {why}")));
        } else {
            let unchecked = schema::unchecked_by_type(&(self.input_schema)()).into_iter();
            problems.extend(unchecked.map(|place| {
                format!(
                    "the argument type does not check `{place}` of its schema; \
                     `Tool::enforce_schema` does"
                )
            }));
        }
        if let Some(Output { schema, .. }) = extras.and_then(|extras| extras.output) {
            let unenforced = schema::problems(&schema()).into_iter();
            problems.extend(unenforced.map(|why| format!("the output schema's {why}")));
        }
        problems
    }

    /// What a client would hold against this tool.
    pub(crate) fn problems(&self) -> Vec<String> {
        let (schema, mut problems) = self.published_schema();
        problems.extend(self.schema_problems(&schema));
        if !is_name(&self.name) {
            problems.push("a name has 1 to 128 of A-Z a-z 0-9 _ . -".to_owned());
        }
        if self.description.is_empty() {
            problems.push("a description is missing, and models choose by it".to_owned());
        }
        if !schema::is_object(&schema) {
            problems.push("the argument type must be a struct or map: a JSON object".to_owned());
        }
        if let Some(meta) = self.extras.as_ref().and_then(|extras| extras.meta.as_ref()) {
            let bad = |key: &&String| !meta::is_key(key) || meta::is_reserved(key);
            problems.extend(
                meta.keys()
                    .filter(bad)
                    .map(|key| format!("`{key}` is not a key that a server may use in `_meta`")),
            );
        }
        let headers = self.header_params();
        for (index, param) in headers.iter().enumerate() {
            let taken = |other: &HeaderParam| other.header.eq_ignore_ascii_case(&param.header);
            if http::HeaderName::from_bytes(param.header.as_bytes()).is_err() {
                problems.push(format!("`{}` is not the name of a header", param.header));
            }
            if headers[..index].iter().any(taken) {
                problems.push(format!("header `{}` is declared twice", param.header));
            }
        }
        problems
    }
}

fn is_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}
