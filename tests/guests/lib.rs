//! Nothing but a home for the guests, which are the examples of this package.
