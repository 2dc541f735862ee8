//! Nothing: the tests and examples that this package compiles in the edition of 2021 stand elsewhere.
