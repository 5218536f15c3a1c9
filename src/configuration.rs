//! Deployment settings that are not part of a server's source: [`Configuration`].

use std::env;
use std::fmt;
use std::rc::Rc;

/// Where values of a deployment come from: keys, origins, addresses, switches.
///
/// A server reads its sealing keys and its allowed origins from the source that
/// [`Server::configure`](crate::Server::configure) names; handlers read their own values from the
/// same source. There are [`Environment`] and [`WasiConfig`](crate::WasiConfig), and a pair of
/// sources is one, too: the second is asked for what the first does not have.
///
/// ```
/// use midge::{Configuration, ConfigurationError, Environment, Server};
///
/// /// Values that are part of the component.
/// struct Defaults;
///
/// impl Configuration for Defaults {
///     fn get(&self, name: &str) -> Result<Option<String>, ConfigurationError> {
///         Ok((name == "allowed_origins").then(|| "https://app.example.com".to_owned()))
///     }
/// }
///
/// fn server() -> Server {
///     Server::new("hello", "1.0.0").configure((Environment, Defaults))
/// }
/// # drop(server());
/// # assert_eq!(Defaults.get("allowed_origins")?.as_deref(), Some("https://app.example.com"));
/// # assert_eq!((Defaults, Environment).get("surely_unset")?, None);
/// # Ok::<(), ConfigurationError>(())
/// ```
pub trait Configuration {
    /// The value of this name; `None` where there is none. Names are lower case, with `_` between
    /// words, as all sources can have them.
    ///
    /// # Errors
    /// When the source cannot say whether there is one.
    fn get(&self, name: &str) -> Result<Option<String>, ConfigurationError>;
}

/// Why a [`Configuration`] could not be read. The reason is for the log; clients never see it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration cannot be read: `{name}`: {reason}")]
pub struct ConfigurationError {
    name: String,
    reason: String,
}

impl ConfigurationError {
    /// The value of this name cannot be had, for a reason that does not repeat the value.
    #[must_use]
    pub fn new(name: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self { name: name.into(), reason: reason.to_string() }
    }
}

/// The environment of the component, where `sealing_keys` is the variable `MIDGE_SEALING_KEYS`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Environment;

impl Configuration for Environment {
    fn get(&self, name: &str) -> Result<Option<String>, ConfigurationError> {
        let variable = format!("MIDGE_{}", name.to_ascii_uppercase());
        match env::var(variable) {
            Ok(value) => Ok(Some(value)),
            Err(env::VarError::NotPresent) => Ok(None),
            Err(env::VarError::NotUnicode(_)) => Err(ConfigurationError::new(name, "not UTF-8")),
        }
    }
}

/// The second is asked for what the first does not have.
impl<A: Configuration, B: Configuration> Configuration for (A, B) {
    fn get(&self, name: &str) -> Result<Option<String>, ConfigurationError> {
        match self.0.get(name)? {
            Some(value) => Ok(Some(value)),
            None => self.1.get(name),
        }
    }
}

/// A configuration that is shared by a server and its requests.
#[derive(Clone)]
pub(crate) struct Source(Rc<dyn Configuration>);

impl Source {
    pub(crate) fn new(configuration: impl Configuration + 'static) -> Self {
        Self(Rc::new(configuration))
    }

    pub(crate) fn get(&self, name: &str) -> Result<Option<String>, ConfigurationError> {
        self.0.get(name)
    }
}

/// Without its values, which are not for logs.
impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Source").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken;

    impl Configuration for Broken {
        fn get(&self, name: &str) -> Result<Option<String>, ConfigurationError> {
            Err(ConfigurationError::new(name, "the vault is shut"))
        }
    }

    struct Always;

    impl Configuration for Always {
        fn get(&self, name: &str) -> Result<Option<String>, ConfigurationError> {
            Ok(Some(name.to_owned()))
        }
    }

    #[test]
    fn the_second_source_has_what_the_first_has_not() {
        assert_eq!((Environment, Always).get("surely_unset"), Ok(Some("surely_unset".to_owned())));
        assert_eq!((Always, Broken).get("a"), Ok(Some("a".to_owned())));
    }

    #[test]
    fn a_source_that_fails_is_not_one_that_has_nothing() {
        let error = (Broken, Always).get("a").unwrap_err();
        let says = "the configuration cannot be read: `a`: the vault is shut";
        assert_eq!(error.to_string(), says);
    }
}
