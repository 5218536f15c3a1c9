//! Static checks of a tool, for its author: names, schemas and rules that nothing enforces.

use serde_json::Value;

use super::{Output, Tool};
use crate::protocol::meta;
use crate::schema::{self, header_params};

impl Tool {
    /// What in the tool's schemas is malformed or not enforced.
    fn schema_problems(&self, input: &Value) -> Vec<String> {
        let extras = self.extras.as_ref();
        let mut problems = Vec::new();
        if extras.and_then(|extras| extras.check_schema).is_some() {
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
        let schema = self.published_schema();
        let mut problems = self.schema_problems(&schema);
        if !is_name(&self.name) {
            problems.push("a name has 1 to 128 of A-Z a-z 0-9 _ . -".to_owned());
        }
        if self.description.is_empty() {
            problems.push("a description is missing, and models choose by it".to_owned());
        }
        if !schema::is_object(&schema) {
            problems.push("the argument type must be a struct or map: a JSON object".to_owned());
        }
        let extras = self.extras.as_deref();
        let is_own = extras.is_some_and(|extras| extras.input_schema.is_some());
        problems.extend(schema::model_problems(&schema, is_own));
        problems.extend(meta::problems(extras.and_then(|extras| extras.meta.as_ref())));
        let headers = header_params::problems(&schema);
        problems.extend(headers.iter().map(|why| format!("x-mcp-header: {why}")));
        let checks_headers = extras.is_some_and(|extras| extras.header_params.is_some());
        if !checks_headers && !header_params::find(&schema).is_empty() {
            problems.push("its `x-mcp-header`s are checked by `Tool::header_params` only".into());
        }
        problems
    }
}

fn is_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}
