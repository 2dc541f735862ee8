//! Plain functions of all shapes: each compiles under the attribute, returns what it did without,
//! and leaves its row.
#![allow(
    clippy::boxed_local,
    clippy::elidable_lifetime_names,
    clippy::many_single_char_names,
    clippy::needless_arbitrary_self_type,
    clippy::needless_lifetimes,
    clippy::needless_pass_by_value,
    clippy::ptr_arg,
    clippy::too_many_arguments,
    clippy::trivially_copy_pass_by_ref,
    clippy::uninlined_format_args,
    clippy::unnecessary_wraps,
    clippy::unused_self,
    clippy::used_underscore_binding,
    reason = "the shapes are what is tested"
)]

use std::cell::RefCell;
use std::convert::TryFrom;
use std::error::Error;
use std::fmt::{Debug, Display};
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use eco2ai::track;
use eco2ai_tests::rows::{assert_one, in_own_folder, statuses};

#[test]
fn values_and_nothing() {
    #[track]
    fn nothing() {}
    #[track]
    fn value(a: u32, b: u32) -> u32 {
        a + b
    }
    in_own_folder();
    nothing();
    assert_eq!(value(1, 2), 3);
    assert_one("nothing");
    assert_one("value");
}

#[test]
fn inner_attributes_stay_at_the_head_of_the_body() {
    #[track]
    fn inner_attributes() -> u8 {
        #![allow(unused_variables)]
        #![allow(dead_code)]
        let unused = 1;
        5
    }
    in_own_folder();
    assert_eq!(inner_attributes(), 5);
    assert_one("inner_attributes");
}

#[test]
fn boxed_trait_objects_coerce() {
    #[track]
    fn boxed(first: bool) -> Box<dyn Display> {
        if first {
            return Box::new(1);
        }
        Box::new("two")
    }
    in_own_folder();
    assert_eq!(boxed(true).to_string() + &boxed(false).to_string(), "1two");
    assert_eq!(statuses("boxed"), ["ok", "ok"]);
}

#[test]
fn generics_of_all_kinds() {
    #[track]
    fn types<T: Debug + ?Sized, U>(x: &T, _u: PhantomData<U>) -> String
    where
        U: Copy,
    {
        format!("{x:?}")
    }
    #[track]
    fn return_only<T: Default>() -> T {
        T::default()
    }
    #[track]
    fn associated<I: Iterator<Item = u8>>(mut i: I) -> Option<I::Item> {
        i.next()
    }
    #[track]
    fn constants<'a, T, const N: usize, const B: bool>(x: &'a [T; N]) -> &'a [T]
    where
        [u8; N]: Sized,
    {
        if B { &x[..1] } else { x }
    }
    in_own_folder();
    assert_eq!(types::<str, u8>("x", PhantomData), "\"x\"");
    assert_eq!(return_only::<u16>(), 0);
    assert_eq!(associated(vec![7].into_iter()), Some(7));
    assert_eq!(constants::<_, 2, true>(&[1, 2]), [1]);
    for name in ["types", "return_only", "associated", "constants"] {
        assert_one(name);
    }
}

#[test]
fn lifetimes_of_all_kinds() {
    #[track]
    fn elided(x: &str) -> &str {
        x
    }
    #[track]
    fn bounded<'a: 'b, 'b, 'unused>(x: &'a str, _y: &'b str) -> &'b str
    where
        'unused: 'a,
    {
        x
    }
    #[track]
    fn higher_ranked(f: impl for<'x> Fn(&'x str) -> &'x str) -> usize {
        f("abc").len()
    }
    #[track]
    fn captures<'a, T: Debug>(x: &'a T) -> impl Debug + use<'a, T> {
        x
    }
    #[track]
    fn reborrows(x: &mut Vec<u8>) -> &mut u8 {
        &mut x[0]
    }
    in_own_folder();
    assert_eq!(elided("a"), "a");
    assert_eq!(bounded("a", "b"), "a");
    assert_eq!(higher_ranked(|x| x), 3);
    assert_eq!(format!("{:?}", captures(&1)), "1");
    *reborrows(&mut vec![1]) = 2;
    for name in ["elided", "bounded", "higher_ranked", "captures", "reborrows"] {
        assert_one(name);
    }
}

#[derive(Clone, Default)]
struct Receiver<T = u8> {
    value: T,
}

impl<T: Clone> Receiver<T> {
    const LEN: usize = 2;

    #[track]
    fn by_value(self) -> T {
        self.value
    }
    #[track]
    fn by_mut_value(mut self, value: T) -> T {
        self.value = value;
        self.value
    }
    #[track]
    fn by_ref(&self) -> &T {
        &self.value
    }
    #[track]
    fn by_mut(&mut self, value: T) {
        self.value = value;
    }
    #[track]
    fn by_box(self: Box<Self>) -> T {
        self.value
    }
    #[track]
    fn by_rc(self: Rc<Self>) -> T {
        self.value.clone()
    }
    #[track]
    fn by_arc(self: Arc<Self>) -> T {
        self.value.clone()
    }
    #[track]
    fn by_pin(self: Pin<&mut Self>) -> T {
        self.value.clone()
    }
    #[track]
    fn by_self_ref(self: &Self) -> T {
        self.value.clone()
    }
    #[track]
    fn constant() -> [u8; 2]
    where
        Self: Sized,
    {
        [0; 2].map(|_| u8::try_from(Self::LEN).unwrap_or_default())
    }
}

#[test]
fn receivers_of_all_kinds_and_methods_named_by_their_type() {
    in_own_folder();
    let mut receiver = Receiver { value: 1 };
    assert_eq!(receiver.clone().by_value(), 1);
    assert_eq!(receiver.clone().by_mut_value(2), 2);
    assert_eq!(receiver.by_ref(), &1);
    receiver.by_mut(3);
    assert_eq!(Box::new(receiver.clone()).by_box(), 3);
    assert_eq!(Rc::new(receiver.clone()).by_rc(), 3);
    assert_eq!(Arc::new(receiver.clone()).by_arc(), 3);
    assert_eq!(Pin::new(&mut receiver).by_pin(), 3);
    assert_eq!(receiver.by_self_ref(), 3);
    assert_eq!(Receiver::<u8>::constant(), [2, 2]);
    for name in [
        "by_value",
        "by_mut_value",
        "by_ref",
        "by_mut",
        "by_box",
        "by_rc",
        "by_arc",
        "by_pin",
        "by_self_ref",
        "constant",
    ] {
        assert_one(&format!("shapes_plain::Receiver::{name}"));
    }
}

trait Work {
    const NAME: &'static str;
    type Output;

    #[track]
    fn provided(&self) -> &'static str {
        Self::NAME
    }
    fn required(&self) -> Self::Output;
}

impl Work for Receiver {
    const NAME: &'static str = "receiver";
    type Output = u8;

    #[track]
    fn required(&self) -> Self::Output {
        self.value
    }
}

#[test]
fn methods_of_a_trait_are_named_by_it_and_by_the_type_that_implements_it() {
    in_own_folder();
    assert_eq!(Receiver { value: 1 }.provided(), "receiver");
    assert_eq!(Receiver { value: 1 }.required(), 1);
    assert_one("shapes_plain::Work::provided");
    let module = module_path!();
    assert_one(&format!("<{}::Receiver as {}::Work>::required", module, module));
}

#[test]
fn functions_of_one_name_have_different_names_in_the_log() {
    struct Converted;
    impl From<u8> for Converted {
        #[track]
        fn from(_: u8) -> Self {
            Converted
        }
    }
    impl From<Vec<u8>> for Converted {
        #[track]
        fn from(_: Vec<u8>) -> Self {
            Converted
        }
    }
    trait Blanket {
        fn go(&self);
    }
    impl<T: Display> Blanket for T {
        #[track]
        fn go(&self) {}
    }
    in_own_folder();
    let _: [Converted; 2] = [Converted::from(1), Converted::from(vec![1])];
    1.go();
    let scope = concat!(module_path!(), "::functions_of_one_name_have_different_names_in_the_log");
    assert_one(&format!("<{}::Converted as From<u8>>::from", scope));
    assert_one(&format!("<{}::Converted as From<Vec<u8>>>::from", scope));
    assert_one(&format!("<_ as {}::Blanket>::go", scope));
}

#[test]
fn opaque_types_in_and_out() {
    #[track]
    fn iterator(n: u8) -> impl Iterator<Item = impl Display> {
        (0..n).map(|x| x * 2)
    }
    #[track]
    fn function(n: u8) -> impl Fn(u8) -> u8 {
        move |x| x + n
    }
    #[track]
    fn of_any_lifetime<T: Copy + PartialEq>(n: T) -> impl Fn(&T) -> bool {
        move |&x| x == n
    }
    #[track]
    fn given(x: impl IntoIterator<Item = u8>) -> u8 {
        x.into_iter().sum()
    }
    in_own_folder();
    assert_eq!(iterator(3).map(|x| x.to_string()).collect::<String>(), "024");
    assert_eq!(function(1)(1), 2);
    assert!(of_any_lifetime(1)(&1));
    assert_eq!(given([1, 2]), 3);
    for name in ["iterator", "function", "of_any_lifetime", "given"] {
        assert_one(name);
    }
}

#[test]
fn unsafe_and_foreign_interfaces() {
    #[track]
    unsafe fn plain_unsafe(x: *const u8) -> u8 {
        unsafe { *x }
    }
    #[track]
    pub(crate) unsafe extern "C" fn with_abi(x: u8) -> u8 {
        x
    }
    in_own_folder();
    let one = 1;
    assert_eq!(unsafe { plain_unsafe(&raw const one) }, 1);
    assert_eq!(unsafe { with_abi(2) }, 2);
    assert_one("plain_unsafe");
    assert_one("with_abi");
}

#[test]
fn a_function_that_never_returns() {
    #[track]
    fn diverges() -> ! {
        panic!("on purpose")
    }
    in_own_folder();
    assert!(std::panic::catch_unwind(|| -> () { diverges() }).is_err());
    assert_eq!(statuses("diverges"), ["panicked"]);
}

#[test]
fn question_marks_and_control_flow() {
    #[track]
    fn question(text: &str) -> Result<u8, Box<dyn Error>> {
        Ok(text.parse::<u8>()?)
    }
    #[track]
    fn option(x: Option<u8>) -> Option<u8> {
        Some(x? + 1)
    }
    #[track]
    fn labels(n: u8) -> u8 {
        let found = 'outer: loop {
            for x in 0.. {
                if x > n {
                    break 'outer x;
                }
            }
        };
        let early = |x: u8| {
            if x > 1 {
                return x;
            }
            0
        };
        'value: {
            if found == 3 {
                break 'value early(found);
            }
            1
        }
    }
    in_own_folder();
    assert_eq!(question("7").ok(), Some(7));
    assert!(question("x").is_err());
    assert_eq!(option(None), None);
    assert_eq!(labels(2), 3);
    assert_eq!(statuses("question"), ["ok", "ok"], "a guard sees no value");
    assert_one("option");
    assert_one("labels");
}

mod shadows {
    //! User's types and modules with the names of the prelude's and of crates.
    #![allow(
        dead_code,
        unreachable_pub,
        non_camel_case_types,
        unused_imports,
        clippy::enum_variant_names
    )]

    pub mod std {}
    pub mod core {}
    pub mod alloc {}
    pub mod eco2ai {}
    pub struct Option;
    pub struct Result;
    pub struct Box;
    pub struct String;
    pub struct u8;
    pub struct bool;
    pub enum Shadow {
        Some,
        None,
        Ok,
        Err,
    }
    pub use Shadow::{Err, None, Ok, Some};

    #[::eco2ai::track(project = "shadow", pue = 1)]
    pub fn shadowed(_call: Option, _guard: Result, value: Shadow) -> Shadow {
        struct Site;
        let _ = (Site, _call);
        value
    }

    #[::eco2ai::track]
    pub async fn shadowed_async(call: Option, _guard: Result, value: Shadow) -> Shadow {
        let _ = call;
        value
    }
}

#[test]
fn names_of_the_prelude_and_of_crates_may_mean_something_else() {
    in_own_folder();
    shadows::shadowed(shadows::Option, shadows::Result, shadows::Shadow::Some);
    assert_one("shadows::shadowed");
}

#[test]
fn items_in_the_body_may_shadow_the_return_type() {
    #[track]
    fn shadowing() -> Result<u8, u8> {
        #[allow(dead_code)]
        struct Result;
        Ok(1)
    }
    in_own_folder();
    assert_eq!(shadowing(), Ok(1));
    assert_one("shadowing");
}

#[test]
fn patterns_stay_as_they_are() {
    struct Pair {
        a: u8,
        b: u8,
    }
    #[track]
    #[allow(unused_mut, clippy::toplevel_ref_arg, unused_variables)]
    fn patterns(
        mut a: u8,
        ref b: u8,
        _: u8,
        (c, [d, ..]): (u8, [u8; 2]),
        Pair { a: e, b: f }: Pair,
        &g: &u8,
        (Ok(h) | Err(h)): Result<u8, u8>,
        #[cfg(any())] absent: Missing,
        #[allow(unused_variables)] unused: u8,
    ) -> u8 {
        a += *b + c + d + e + f + g + h;
        #[cfg(any())]
        return missing;
        a
    }
    in_own_folder();
    assert_eq!(patterns(1, 1, 9, (1, [1, 9]), Pair { a: 1, b: 1 }, &1, Ok(1), 9), 8);
    assert_one("patterns");
}

thread_local! {
    static DROPS: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

/// Notes when it is dropped.
struct Noisy(&'static str);

impl Drop for Noisy {
    fn drop(&mut self) {
        DROPS.with_borrow_mut(|drops| drops.push(self.0));
    }
}

#[test]
fn arguments_are_dropped_in_the_same_order() {
    fn bare(_a: Noisy, _: Noisy, (_c, _): (Noisy, Noisy), _d: Noisy) {
        let _local = Noisy("local");
    }
    #[track]
    fn drops(_a: Noisy, _: Noisy, (_c, _): (Noisy, Noisy), _d: Noisy) {
        let _local = Noisy("local");
    }
    #[track(err)]
    fn drops_err(_a: Noisy, _: Noisy, (_c, _): (Noisy, Noisy), _d: Noisy) -> Result<(), u8> {
        let _local = Noisy("local");
        Ok(())
    }
    in_own_folder();
    bare(Noisy("a"), Noisy("b"), (Noisy("c"), Noisy("c2")), Noisy("d"));
    let expected = DROPS.take();
    assert_eq!(expected.len(), 6);
    drops(Noisy("a"), Noisy("b"), (Noisy("c"), Noisy("c2")), Noisy("d"));
    assert_eq!(DROPS.take(), expected);
    assert_eq!(drops_err(Noisy("a"), Noisy("b"), (Noisy("c"), Noisy("c2")), Noisy("d")), Ok(()));
    assert_eq!(DROPS.take(), expected);
}

#[test]
fn recursion_nesting_and_two_attributes() {
    #[track]
    fn recursive(n: u8) -> u8 {
        if n == 0 { 0 } else { 1 + recursive(n - 1) }
    }
    #[track]
    fn outer() -> u8 {
        #[track]
        fn inner() -> u8 {
            1
        }
        inner()
    }
    #[track]
    #[track]
    fn twice() -> u8 {
        2
    }
    in_own_folder();
    assert_eq!(recursive(3), 3);
    assert_eq!(statuses("recursive"), ["ok"; 4]);
    assert_eq!(outer(), 1);
    assert_one("outer");
    assert_one("outer::inner");
    assert_eq!(twice(), 2);
    assert_eq!(statuses("twice"), ["ok"; 2]);
}

#[test]
fn raw_names_are_recorded_without_their_prefix() {
    mod r#mod {
        #[eco2ai::track]
        pub(super) fn r#match(r#fn: u8) -> u8 {
            r#fn
        }
    }
    in_own_folder();
    assert_eq!(r#mod::r#match(1), 1);
    assert_one("mod::match");
}

#[test]
fn a_panic_is_the_same_panic_and_is_recorded() {
    #[track]
    fn panics_by_itself() -> u8 {
        std::panic::panic_any(7_u8)
    }
    in_own_folder();
    let payload = std::panic::catch_unwind(panics_by_itself).expect_err("it panics");
    assert_eq!(payload.downcast_ref::<u8>(), Some(&7));
    assert_eq!(statuses("panics_by_itself"), ["panicked"]);
}

#[test]
fn a_function_called_in_a_destructor_of_an_unwinding_thread_did_not_panic() {
    #[track]
    fn cleans_up() {}
    struct Cleans;
    impl Drop for Cleans {
        fn drop(&mut self) {
            cleans_up();
        }
    }
    in_own_folder();
    let panicked = std::panic::catch_unwind(|| {
        let _cleans = Cleans;
        panic!("on purpose");
    });
    assert!(panicked.is_err());
    assert_one("cleans_up");
}

#[test]
fn err_records_an_error_and_changes_no_value() {
    struct Model {
        name: String,
    }
    impl Model {
        #[track(err)]
        fn name_mut(&mut self, ok: bool) -> Result<&mut String, Box<dyn Error>> {
            if !ok {
                return Err("no".into());
            }
            Ok(&mut self.name)
        }
        #[track(err)]
        fn into_names(self) -> Result<impl Iterator<Item = char> + use<>, u8> {
            Ok(self.name.chars().collect::<Vec<_>>().into_iter())
        }
        #[track(err)]
        fn panics(&self) -> Result<u8, u8> {
            panic!("{}", self.name)
        }
    }
    #[track(err)]
    fn generic<T, E: From<u8>, const N: usize>(x: [T; N]) -> Result<T, E> {
        IntoIterator::into_iter(x).next().ok_or_else(|| E::from(3))
    }
    in_own_folder();
    let mut model = Model { name: "m".into() };
    assert!(model.name_mut(false).is_err());
    assert_eq!(model.name_mut(true).expect("a name"), "m");
    assert!(std::panic::catch_unwind(|| Model { name: "m".into() }.panics()).is_err());
    assert_eq!(model.into_names().map(Iterator::count), Ok(1));
    assert_eq!(generic::<u8, u8, 0>([]), Err(3));
    assert_eq!(statuses("Model::name_mut"), ["error", "ok"]);
    assert_eq!(statuses("Model::panics"), ["panicked"]);
    assert_eq!(statuses("generic"), ["error"]);
    assert_one("Model::into_names");
}
