//! Nothing: the tests and examples that this package compiles in the edition of 2018 stand elsewhere.
