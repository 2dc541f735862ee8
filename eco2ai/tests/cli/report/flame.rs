//! The flame graph.

use crate::report::logs::{ROW, Row, log, nested};
use crate::report::page::{assert_says, page, unescaped};

/// A bar: its title, its row, and where it begins and ends as a share of the whole.
#[derive(Debug)]
struct Bar {
    title: String,
    row: u32,
    start: f64,
    end: f64,
}

fn bars(page: &str) -> Vec<Bar> {
    let (_, graph) = page.split_once("<div id=\"flame-graph\"").expect("a flame graph");
    let (graph, _) = graph.split_once("</div>").unwrap();
    let value = |span: &str, name: &str| {
        let (_, value) = span.split_once(&format!("--{name}:")).unwrap();
        value.split_once(';').unwrap().0.to_owned()
    };
    graph
        .split("<span role=\"treeitem\"")
        .skip(1)
        .map(|span| {
            let start: f64 = value(span, "x").parse().unwrap();
            let (_, text) = span.split_once('>').unwrap();
            let title = unescaped(&text.replace("<i>", "").replace("</i></span>", ""));
            Bar {
                title: title.split_whitespace().collect::<Vec<_>>().join(" "),
                row: value(span, "y").parse().unwrap(),
                start,
                end: start + value(span, "w").parse::<f64>().unwrap(),
            }
        })
        .collect()
}

#[test]
fn each_path_is_below_its_caller_and_as_wide_as_its_energy() {
    let bars = bars(&page(&nested()));
    let [all, outer, inner] = bars.as_slice() else { panic!("{bars:?}") };
    assert_eq!(all.title, "all: 4.000 kWh, 100.0 %");
    assert_eq!(outer.title, "m::outer: 4.000 kWh, 100.0 %");
    assert_eq!(inner.title, "m::inner: 2.000 kWh, 50.0 %");
    assert_eq!([all, outer, inner].map(|bar| bar.row), [0, 1, 2]);
    let places = [all, outer, inner].map(|bar| (bar.start, bar.end));
    assert_eq!(places, [(0.0, 1.0), (0.0, 1.0), (0.0, 0.5)]);
}

#[test]
fn callees_of_a_function_stand_side_by_side_in_the_order_of_their_names() {
    let bars = bars(&page(&log(&[
        Row { id: "2", parent: "1", function: "m::b", ..ROW },
        Row { id: "3", parent: "1", function: "m::a", own: 2.0, inclusive: 2.0, ..ROW },
        Row { function: "m::outer", inclusive: 4.0, ..ROW },
    ])));
    let places: Vec<_> = bars.iter().skip(2).map(|bar| (bar.row, bar.start, bar.end)).collect();
    assert_eq!(places, [(2, 0.0, 0.5), (2, 0.5, 0.75)], "{bars:?}");
}

#[test]
fn a_recursion_has_a_bar_for_each_depth_and_is_inclusive_in_its_outermost_call() {
    let page = page(&log(&[
        Row { id: "3", parent: "2", ..ROW },
        Row { id: "2", parent: "1", inclusive: 2.0, cpu: 2.0, ..ROW },
        Row { inclusive: 3.0, cpu: 3.0, ..ROW },
    ]));
    assert_says(&page, "m::f 3.000 3.000 3 1.000");
    let rows: Vec<_> =
        bars(&page).iter().filter(|bar| bar.title.starts_with("m::f")).map(|bar| bar.row).collect();
    assert_eq!(rows, [1, 2, 3]);
}

#[test]
fn a_flame_graph_of_ten_thousand_functions_stays_small() {
    let names: Vec<_> = (2..10_002).map(|at| (at.to_string(), format!("m::f{at}"))).collect();
    let mut rows: Vec<_> =
        names.iter().map(|(id, name)| Row { id, parent: "1", function: name, ..ROW }).collect();
    let largest: Vec<_> = (10_002..12_002).map(|at| at.to_string()).collect();
    rows.extend(largest.iter().map(|id| Row {
        id,
        parent: "1",
        function: id,
        own: 10.0,
        inclusive: 10.0,
        ..ROW
    }));
    rows.push(Row { function: "m::outer", inclusive: 30_001.0, ..ROW });
    let page = page(&log(&rows));
    assert!(page.len() < 250_000, "{} bytes", page.len());
    let bars = bars(&page);
    assert_eq!(bars[1].title, "m::outer: 30 001 kWh, 100.0 %");
    assert!(bars.len() <= 500, "{}", bars.len());
    assert_says(&page, "Too small to draw: 1");
}

#[test]
fn names_are_text() {
    let page = page(&log(&[
        Row { project: "<script>alert(1)</script>", ..ROW },
        Row { id: "2", parent: "1", function: "\"'><img src=x onerror=alert(1)>; a 7 9", ..ROW },
    ]));
    assert_says(&page, "<script>alert(1)</script>");
    let injected = "\"'><img src=x onerror=alert(1)>; a 7 9: 1.000 kWh, 50.0 %";
    let bars = bars(&page);
    assert!(bars.iter().any(|bar| bar.title == injected), "{bars:?}");
    assert!(!page.contains("<script>alert") && !page.contains("<img"), "{page}");
}
