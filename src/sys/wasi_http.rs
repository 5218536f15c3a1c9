//! Conversions to the types of `wasi:http`. Both versions of WASI have the same functions on types of
//! their own, so these are macros.

/// Defines `to_wasi(&HeaderMap)`, and `address(request, method, uri)`, which says all of a request
/// but its header fields and its body. The types that it names are those where it stands.
macro_rules! request_functions {
    ($request:ty) => {
        fn to_wasi(headers: &http::HeaderMap) -> Result<Fields, FetchError> {
            let pairs = headers.iter();
            let pairs: Vec<_> =
                pairs.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec())).collect();
            Fields::from_list(&pairs).map_err(|_| FetchError::Invalid("a header is not allowed"))
        }

        fn address(
            request: &$request,
            method: &http::Method,
            uri: &http::Uri,
        ) -> Result<(), &'static str> {
            let method = match method.as_str() {
                "GET" => Method::Get,
                "HEAD" => Method::Head,
                "POST" => Method::Post,
                "PUT" => Method::Put,
                "DELETE" => Method::Delete,
                "OPTIONS" => Method::Options,
                "PATCH" => Method::Patch,
                other => Method::Other(other.to_owned()),
            };
            request.set_method(&method).map_err(|()| "the method is not allowed")?;
            let scheme = match uri.scheme_str() {
                Some("http") => Scheme::Http,
                Some("https") | None => Scheme::Https,
                Some(other) => Scheme::Other(other.to_owned()),
            };
            request.set_scheme(Some(&scheme)).map_err(|()| "the scheme is not allowed")?;
            let authority = uri.authority().ok_or("the URI names no server")?.as_str();
            let valid = request.set_authority(Some(authority));
            valid.map_err(|()| "the server has no valid name")?;
            let path = uri.path_and_query().map(http::uri::PathAndQuery::as_str);
            request.set_path_with_query(path).map_err(|()| "the path is not allowed")
        }
    };
}

/// Defines `to_wasi(Fields)`, which converts the fields of a response.
macro_rules! fields_function {
    ($fields:ty) => {
        /// Converts fields. If the host forbids one of them, the others are kept.
        pub(super) fn to_wasi(fields: $crate::headers::map::Fields) -> $fields {
            let pairs = fields.into_pairs();
            <$fields>::from_list(&pairs).unwrap_or_else(|_| {
                let fields = <$fields>::new();
                for (name, value) in &pairs {
                    let _ = fields.append(name, value);
                }
                fields
            })
        }
    };
}

pub(super) use {fields_function, request_functions};
