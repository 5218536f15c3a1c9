//! From a request of Rust's crates to one of WASI. Both versions have the same types and functions
//! for it, each its own.

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

pub(super) use request_functions;
