//! Futures of all shapes: a run starts at the first poll, ends once, and changes neither `Send`,
//! nor drop order, nor the value.
#![allow(
    clippy::unused_async,
    clippy::manual_async_fn,
    clippy::needless_pass_by_value,
    clippy::uninlined_format_args,
    clippy::unused_self
)]

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::fmt::Display;
use std::future::{Future, poll_fn, ready};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use eco2ai::track;
use eco2ai_tests::block_on;
use eco2ai_tests::rows::{assert_one, in_own_folder, statuses};

/// Pending once.
async fn pause() {
    let mut paused = false;
    poll_fn(|_| if std::mem::replace(&mut paused, true) { Poll::Ready(()) } else { Poll::Pending })
        .await;
}

fn assert_send<T: Send>(value: T) -> T {
    value
}

/// Whoever catches panics around a bare future may do so around a tracked one.
#[test]
fn futures_stay_unwind_safe() {
    fn assert_unwind_safe<T: UnwindSafe + RefUnwindSafe>(value: T) -> T {
        value
    }
    #[track]
    async fn plain(text: &str) -> usize {
        ready(()).await;
        text.len()
    }
    #[track]
    fn returned(x: u8) -> impl Future<Output = u8> + UnwindSafe + RefUnwindSafe {
        async move { x }
    }
    in_own_folder();
    assert_eq!(block_on(assert_unwind_safe(plain("ab"))), 2);
    assert_eq!(block_on(assert_unwind_safe(returned(3))), 3);
}

#[test]
fn async_functions() {
    #[track]
    async fn nothing() {}
    #[track(description = format!("{a}"))]
    async fn value(a: u32) -> u32 {
        pause().await;
        a
    }
    #[track]
    async unsafe fn unsafe_async(x: *const u8) -> u8 {
        unsafe { *x }
    }
    #[track]
    async fn inner_attributes() -> u8 {
        #![allow(unused_variables)]
        let x = 1;
        2
    }
    in_own_folder();
    block_on(nothing());
    assert_eq!(block_on(value(3)), 3);
    let four = 4;
    assert_eq!(block_on(unsafe { unsafe_async(&raw const four) }), 4);
    assert_eq!(block_on(inner_attributes()), 2);
    for name in ["nothing", "value", "unsafe_async", "inner_attributes"] {
        assert_one(name);
    }
}

#[test]
fn return_types_of_all_kinds() {
    #[track]
    async fn boxed(first: bool) -> Box<dyn Fn() -> u8 + Send> {
        if first {
            return Box::new(|| 1);
        }
        pause().await;
        Box::new(|| 2)
    }
    #[track]
    async fn dyn_future() -> Pin<Box<dyn Future<Output = u8>>> {
        Box::pin(async { 3 })
    }
    #[track]
    async fn opaque(n: u8) -> impl Iterator<Item = impl Display> {
        (0..n).map(|x| x + 1)
    }
    #[track]
    async fn fallible_opaque(n: u8) -> Result<impl Iterator<Item = u8>, Box<dyn Error>> {
        if n > 9 {
            return Err("too many".into());
        }
        Ok((0..n).map(|x| x + 1))
    }
    #[track]
    async fn generic<T: Default, const N: usize>(x: [T; N]) -> (T, usize) {
        pause().await;
        (T::default(), x.len())
    }
    #[track]
    async fn question(text: &str) -> Result<u8, Box<dyn Error + Send + Sync>> {
        pause().await;
        Ok(text.parse::<u8>()?)
    }
    #[track]
    async fn absent(x: Option<u8>) -> Option<u8> {
        Some(x? + 1)
    }
    #[track]
    async fn future_given(f: impl Future<Output = u8>) -> u8 {
        f.await
    }
    in_own_folder();
    assert_eq!(block_on(boxed(true))() + block_on(boxed(false))(), 3);
    assert_eq!(block_on(block_on(dyn_future())), 3);
    assert_eq!(block_on(opaque(2)).count(), 2);
    assert_eq!(block_on(fallible_opaque(2)).expect("few").count(), 2);
    assert!(block_on(fallible_opaque(10)).is_err());
    assert_eq!(block_on(generic([1_u8])), (0, 1));
    assert_eq!(block_on(question("5")).ok(), Some(5));
    assert!(block_on(question("x")).is_err());
    assert_eq!(block_on(absent(None)), None);
    assert_eq!(block_on(future_given(ready(6))), 6);
    assert_eq!(statuses("return_types_of_all_kinds::boxed"), ["ok", "ok"]);
    assert_eq!(statuses("fallible_opaque"), ["ok", "error"]);
    assert_eq!(statuses("question"), ["ok", "error"]);
    for name in ["dyn_future", "opaque", "generic", "absent", "future_given"] {
        assert_one(name);
    }
}

#[test]
fn a_future_that_never_ends_and_one_that_panics() {
    #[track]
    async fn endless() -> ! {
        loop {
            pause().await;
        }
    }
    #[track]
    async fn diverges(x: u8) -> ! {
        panic!("on purpose: {}", x)
    }
    in_own_folder();
    {
        let mut future = pin!(endless());
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(statuses("endless"), ["cancelled"]);
    assert!(std::panic::catch_unwind(|| -> () { block_on(diverges(1)) }).is_err());
    assert_eq!(statuses("diverges"), ["panicked"]);
}

#[test]
fn a_cancelled_future_leaves_one_row_and_an_unpolled_one_none() {
    #[track]
    async fn cancelled() {
        pause().await;
        pause().await;
    }
    #[track]
    async fn unpolled() {}
    in_own_folder();
    {
        let mut future = Box::pin(cancelled());
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
        assert!(statuses("cancelled").is_empty());
    }
    assert_eq!(statuses("cancelled"), ["cancelled"]);
    drop(unpolled());
    assert!(statuses("unpolled").is_empty());
}

#[derive(Clone, Default)]
struct Model {
    name: String,
}

impl Model {
    #[track]
    async fn borrowed(&self, other: &str) -> &str {
        pause().await;
        let _ = other;
        &self.name
    }
    #[track]
    async fn by_mut(&mut self, name: &str) -> &mut String {
        self.name.push_str(name);
        pause().await;
        &mut self.name
    }
    #[track]
    async fn by_value(mut self) -> String {
        self.name.push('!');
        self.name
    }
    #[track]
    async fn by_arc(self: Arc<Self>) -> usize {
        self.name.len()
    }
    #[track]
    async fn by_pin(self: Pin<&mut Self>) -> usize {
        self.name.len()
    }
}

#[test]
fn receivers() {
    in_own_folder();
    let mut model = Model { name: "m".into() };
    assert_eq!(block_on(model.borrowed("x")), "m");
    assert_eq!(block_on(model.by_mut("n")), "mn");
    assert_eq!(block_on(Arc::new(model.clone()).by_arc()), 2);
    assert_eq!(block_on(Pin::new(&mut model).by_pin()), 2);
    assert_eq!(block_on(model.by_value()), "mn!");
    for name in ["borrowed", "by_mut", "by_arc", "by_pin", "by_value"] {
        assert_one(&format!("Model::{}", name));
    }
}

/// How the log names a method of a trait that `Model` implements.
fn method(of_trait: &str) -> String {
    let module = module_path!();
    format!("<{}::Model as {}::{}", module, module, of_trait)
}

trait Native {
    #[track]
    async fn provided(&self) -> u8 {
        self.required().await
    }
    async fn required(&self) -> u8;
}

impl Native for Model {
    #[track]
    async fn required(&self) -> u8 {
        pause().await;
        1
    }
}

#[test]
fn native_async_methods_of_traits() {
    in_own_folder();
    assert_eq!(block_on(Model::default().provided()), 1);
    assert_one("Native::provided");
    assert_one(&method("Native>::required"));
}

#[async_trait]
trait Service {
    async fn reading(&self, x: &str) -> Result<usize, String>;
    async fn changing(&mut self) -> u8;
    async fn boxed_self(self: Box<Self>) -> u8;
    async fn shared_self(self: Arc<Self>) -> u8;
    async fn without() -> u8;
    #[track]
    async fn with_default(&self) -> u8 {
        pause().await;
        9
    }
}

#[async_trait]
impl Service for Model {
    #[track]
    async fn reading(&self, x: &str) -> Result<usize, String> {
        pause().await;
        if x.is_empty() {
            return Err("empty".into());
        }
        Ok(x.len() + self.name.len())
    }
    #[track]
    async fn changing(&mut self) -> u8 {
        self.name.clear();
        1
    }
    #[track]
    async fn boxed_self(self: Box<Self>) -> u8 {
        2
    }
    #[track]
    async fn shared_self(self: Arc<Self>) -> u8 {
        3
    }
    #[track]
    async fn without() -> u8 {
        4
    }
}

#[async_trait(?Send)]
trait Local {
    async fn local(&self) -> u8;
}

#[async_trait(?Send)]
impl Local for Model {
    #[track]
    async fn local(&self) -> u8 {
        let x = Rc::new(5);
        pause().await;
        *x
    }
}

#[test]
fn async_trait_methods() {
    in_own_folder();
    let mut model = Model::default();
    assert_eq!(block_on(assert_send(model.reading("ab"))), Ok(2));
    assert_eq!(block_on(Service::reading(&model, "")), Err("empty".into()));
    assert_eq!(block_on(Service::changing(&mut model)), 1);
    assert_eq!(block_on(Service::boxed_self(Box::new(model.clone()))), 2);
    assert_eq!(block_on(Service::shared_self(Arc::new(model.clone()))), 3);
    assert_eq!(block_on(<Model as Service>::without()), 4);
    assert_eq!(block_on(model.with_default()), 9);
    assert_eq!(block_on(model.local()), 5);
    drop(model.local());
    let service = |name| method(&format!("Service>::{}", name));
    assert_eq!(statuses(&service("reading")), ["ok", "error"]);
    assert_one(&service("without"));
    assert_one(&service("boxed_self"));
    assert_one(&method("Local>::local"));
    assert_one("Service::with_default");
}

#[test]
fn futures_that_plain_functions_return() {
    type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

    #[track]
    fn boxed(x: u8) -> Pin<Box<dyn Future<Output = Result<u8, String>> + Send>> {
        let doubled = x * 2;
        if x > 100 {
            return Box::pin(ready(Err("too large".to_string())));
        }
        Box::pin(async move {
            pause().await;
            if doubled == 0 {
                return Err("zero".into());
            }
            Ok(doubled)
        })
    }
    #[track]
    fn calls_inner(x: &str) -> BoxFuture<'_, usize> {
        async fn inner(x: &str) -> usize {
            pause().await;
            x.len()
        }
        Box::pin(async move { inner(x).await })
    }
    #[track]
    fn returns_inner(x: u8) -> BoxFuture<'static, u8> {
        async fn inner(x: u8) -> u8 {
            x
        }
        Box::pin(inner(x))
    }
    #[track]
    fn block(x: String) -> impl Future<Output = usize> {
        async move {
            pause().await;
            x.len()
        }
    }
    #[track]
    fn borrows(x: &[u8]) -> impl Future<Output = Option<&u8>> + '_ {
        async move {
            pause().await;
            x.first()
        }
    }
    #[track]
    fn at_once(x: u8) -> impl Future<Output = u8> {
        ready(x)
    }
    #[track]
    fn converted(x: u8) -> Pin<Box<dyn Future<Output = u32>>> {
        Box::pin(async move { x.into() })
    }
    in_own_folder();
    assert_eq!(block_on(assert_send(boxed(2))), Ok(4));
    assert_eq!(block_on(boxed(0)), Err("zero".into()));
    assert_eq!(block_on(boxed(101)), Err("too large".into()));
    drop(boxed(1));
    assert_eq!(statuses("futures_that_plain_functions_return::boxed"), ["ok", "error"]);
    assert_eq!(block_on(calls_inner("abc")), 3);
    assert_eq!(block_on(returns_inner(1)), 1);
    assert_eq!(block_on(block("ab".into())), 2);
    assert_eq!(block_on(borrows(&[1])), Some(&1));
    assert_eq!(block_on(at_once(1)), 1);
    assert_eq!(block_on(converted(1)), 1);
    for name in ["calls_inner", "returns_inner", "block", "borrows", "at_once", "converted"] {
        assert_one(name);
    }
}

#[test]
fn recursion() {
    #[track]
    async fn boxed_recursion(n: u8) -> u8 {
        if n == 0 { 0 } else { 1 + Box::pin(boxed_recursion(n - 1)).await }
    }
    #[track]
    fn returned_recursion(n: u8) -> Pin<Box<dyn Future<Output = u8> + Send>> {
        Box::pin(async move { if n == 0 { 0 } else { 1 + returned_recursion(n - 1).await } })
    }
    #[track]
    #[track]
    async fn twice() -> u8 {
        pause().await;
        1
    }
    in_own_folder();
    assert_eq!(block_on(boxed_recursion(2)), 2);
    assert_eq!(statuses("boxed_recursion"), ["ok"; 3]);
    assert_eq!(block_on(returned_recursion(2)), 2);
    assert_eq!(statuses("returned_recursion"), ["ok"; 3]);
    assert_eq!(block_on(twice()), 1);
    assert_eq!(statuses("twice"), ["ok"; 2]);
}

#[test]
fn send_is_kept_where_it_was_and_asked_for_nowhere_else() {
    #[track]
    async fn not_sync(x: Cell<u8>) -> u8 {
        pause().await;
        x.get()
    }
    #[track]
    async fn generic_send<T: Send>(x: T) -> T {
        pause().await;
        x
    }
    #[track]
    async fn not_send(x: Rc<u8>) -> u8 {
        pause().await;
        *x
    }
    #[track]
    async fn borrows_across(x: &[String]) -> usize {
        let mut total = 0;
        for part in x.iter().map(String::as_str) {
            pause().await;
            total += part.len();
        }
        total
    }
    in_own_folder();
    assert_eq!(block_on(assert_send(not_sync(Cell::new(1)))), 1);
    assert_eq!(block_on(assert_send(generic_send(Cell::new(2)))).get(), 2);
    assert_eq!(block_on(not_send(Rc::new(3))), 3);
    let words = ["ab".to_string()];
    assert_eq!(block_on(assert_send(borrows_across(&words))), 2);
    assert_eq!(block_on(assert_send(Model::default().borrowed("x"))), "");
}

#[test]
fn a_future_may_move_between_threads() {
    #[track]
    async fn moves() -> u8 {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        tokio::task::yield_now().await;
        7
    }
    in_own_folder();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("tokio");
    let values = runtime.block_on(async {
        let tasks: Vec<_> = (0..8).map(|_| tokio::spawn(moves())).collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await.expect("no panic");
        }
        sum
    });
    assert_eq!(values, 56);
    assert_eq!(statuses("moves"), ["ok"; 8]);
}

thread_local! {
    static DROPS: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

struct Noisy(&'static str);

impl Drop for Noisy {
    fn drop(&mut self) {
        DROPS.with_borrow_mut(|drops| drops.push(self.0));
    }
}

/// What is dropped when the future ends, and when it is dropped after so many polls.
fn drops<F: Future<Output = ()>>(make: impl Fn() -> F) -> Vec<Vec<&'static str>> {
    let partly = |polls: usize| {
        let mut future = Box::pin(make());
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..polls {
            let _ = future.as_mut().poll(&mut context);
        }
        drop(future);
        DROPS.take()
    };
    vec![partly(0), partly(1), partly(2)]
}

struct Parts {
    _unused: Noisy,
    used: Noisy,
}

impl Parts {
    // What the body does not use of `self` belongs to the future all the same.
    async fn bare(self, _a: Noisy) {
        let used = &self.used;
        pause().await;
        assert_eq!(used.0, "used");
    }
    #[track]
    async fn tracked(self, _a: Noisy) {
        let used = &self.used;
        pause().await;
        assert_eq!(used.0, "used");
    }
}

#[test]
fn arguments_are_dropped_in_the_same_order() {
    async fn bare(_a: Noisy, _: Noisy, (_c, _): (Noisy, Noisy), _d: Noisy, mut _e: Noisy) {
        let _local = Noisy("local");
        pause().await;
    }
    #[track]
    async fn tracked(_a: Noisy, _: Noisy, (_c, _): (Noisy, Noisy), _d: Noisy, mut _e: Noisy) {
        let _local = Noisy("local");
        pause().await;
    }
    in_own_folder();
    let n = Noisy;
    let expected = drops(|| bare(n("a"), n("b"), (n("c"), n("c2")), n("d"), n("e")));
    assert_eq!(expected[2].len(), 7);
    assert_eq!(drops(|| tracked(n("a"), n("b"), (n("c"), n("c2")), n("d"), n("e"))), expected);
    let parts = || Parts { used: n("used"), _unused: n("unused") };
    assert_eq!(drops(|| parts().tracked(n("a"))), drops(|| parts().bare(n("a"))));
}

#[test]
fn a_tracked_future_stays_small() {
    async fn bare(x: [u8; 200]) -> u8 {
        pause().await;
        x[0]
    }
    #[track]
    async fn tracked(x: [u8; 200]) -> u8 {
        pause().await;
        x[0]
    }
    let bare = size_of_val(&bare([0; 200]));
    let tracked = size_of_val(&tracked([0; 200]));
    assert!(tracked <= 2 * bare, "{} bytes, {} without", tracked, bare);
}
