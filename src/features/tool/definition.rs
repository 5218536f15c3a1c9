//! The definition of a tool in `tools/list`.

use std::borrow::Cow;

use serde_json::Value;

use super::Tool;
use crate::protocol::Version;
use crate::protocol::tool::ToolDefinition;
use crate::schema;

impl Tool {
    /// The tool as a client of `version` may see it.
    pub(crate) fn definition(&self, version: Version) -> ToolDefinition<'_> {
        let extras = self.extras.as_deref();
        let mut input_schema = self.published_schema();
        let own = extras.and_then(|extras| extras.output);
        let output_schema = own.map_or_else(self.output_schema, |own| Some((own.schema)()));
        let mut output_schema = output_schema.filter(|schema| {
            version.structured_content_may_be_any_value()
                || (version.has_structured_content() && schema::is_object(schema))
        });
        if !version.allows_boolean_schemas() {
            schema::without_booleans(&mut input_schema);
            output_schema.iter_mut().for_each(schema::without_booleans);
        }
        let extras_since = |known: bool| extras.filter(|_| known);
        ToolDefinition {
            name: &self.name,
            title: extras_since(version.has_titles()).and_then(|extras| extras.title.as_deref()),
            description: &self.description,
            input_schema: Cow::Owned(input_schema),
            output_schema,
            annotations: extras.and_then(|extras| extras.annotations.as_ref()),
            icons: extras_since(version.has_icons()).map_or(&[], |extras| &extras.icons),
            meta: extras_since(version.has_titles()).and_then(|extras| extras.meta.as_ref()),
        }
    }

    /// The input schema as clients see it.
    pub(super) fn published_schema(&self) -> Value {
        let own = self.extras.as_ref().and_then(|extras| extras.input_schema);
        let mut schema = own.map_or_else(
            || {
                let mut schema = (self.input_schema)();
                schema::without_number_formats(&mut schema);
                schema::with_properties(schema::with_object_root(schema))
            },
            |own| schema::with_object_root(own()),
        );
        if let Some(params) = self.extras.as_ref().and_then(|extras| extras.header_params) {
            (params.publish)(&mut schema);
        }
        schema
    }
}
