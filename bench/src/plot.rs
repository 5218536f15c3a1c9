//! A bar for each contestant, as SVG: the CPU time of a request.

use std::fmt::Write;

use crate::report::{Report, Row};

const BAR: f64 = 20.0;
const GAP: f64 = 8.0;
const LABELS: f64 = 150.0;
const BARS: f64 = 430.0;
const FIGURES: f64 = 140.0;
const TITLE: f64 = 30.0;

/// The first workload of a run, cheapest contestant first.
pub(crate) fn svg(report: &Report) -> String {
    let Some(first) = report.rows.first() else { return String::new() };
    let mut rows: Vec<_> =
        report.rows.iter().filter(|row| row.workload == first.workload).collect();
    rows.sort_by(|a, b| a.figures.cpu_us.total_cmp(&b.figures.cpu_us));
    let longest = rows.last().map_or(1.0, |row| row.figures.cpu_us);
    let hyper = rows.iter().find(|row| row.contestant == "hyper").map(|row| row.figures.cpu_us);

    let (width, height) =
        (LABELS + BARS + FIGURES, TITLE + (BAR + GAP) * rows.len() as f64 + 2.0 * GAP);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"white\"/>\n\
         <text x=\"{GAP}\" y=\"20\" font-weight=\"bold\">CPU time of the server for each \
         request, µs (workload {})</text>\n",
        first.workload
    );
    for (place, row) in rows.into_iter().enumerate() {
        let top = TITLE + GAP + (BAR + GAP) * place as f64;
        bar(&mut svg, row, top, longest, hyper);
    }
    svg.push_str("</svg>\n");
    svg
}

fn bar(svg: &mut String, row: &Row, top: f64, longest: f64, hyper: Option<f64>) {
    let cpu = row.figures.cpu_us;
    let length = (cpu / longest * BARS).max(1.0);
    let color = if row.contestant.starts_with("midge") { "#2a7f62" } else { "#9aa5b1" };
    let ratio = hyper.map_or_else(String::new, |hyper| format!(" ({:.1} × hyper)", cpu / hyper));
    let baseline = top + BAR * 0.72;
    // Writing to a string does not fail.
    let _ = writeln!(
        svg,
        "<text x=\"{:.0}\" y=\"{baseline:.1}\" text-anchor=\"end\">{}</text>\
         <rect x=\"{LABELS}\" y=\"{top:.0}\" width=\"{length:.1}\" height=\"{BAR}\" \
         fill=\"{color}\"/><text x=\"{:.1}\" y=\"{baseline:.1}\">{cpu:.1}{ratio}</text>",
        LABELS - GAP,
        row.contestant,
        LABELS + length + GAP / 2.0,
    );
}
