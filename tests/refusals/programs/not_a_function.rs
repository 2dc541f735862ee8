//! What is no function, or has no body, is refused, and kept.

#[eco2ai::track]
struct Struct;

trait Trait {
    #[eco2ai::track]
    fn without_body(&self);
}

impl Trait for Struct {
    fn without_body(&self) {}
}

unsafe extern "C" {
    #[eco2ai::track]
    safe fn abs(x: i32) -> i32;
}

#[eco2ai::track]
mod module {
    pub(crate) fn f() {}
}

fn main() {
    Struct.without_body();
    abs(1);
    module::f();
}
