//! The page: the verdict first, then the figures, then what they rest on. No script runs in it, by its own rule.

use std::{io, time::SystemTime};

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    bars, curves, distributions,
    timeline::{self, Lanes},
};
use crate::findings::{Chart, Found, Grid, Heading};

const STYLE: &str = include_str!("style.css");

/// What a browser may do with the page: nothing but show it.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// How to get the figures out again.
const EXTRACT: &str = r#"sed -n '/^<script id="data"/,/^<\/script>/{//!p}' report.html"#;

/// The whole page.
///
/// # Errors
/// The findings have no JSON.
pub(super) fn page(found: &dyn Found) -> io::Result<String> {
    let mut json = Vec::new();
    found.json(false, &mut json)?;
    let json = String::from_utf8_lossy(&json);
    let charts = found.charts();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head(&found.title()))
            body {
                main {
                    (header(found))
                    (first(&charts))
                    (figures(found, &charts))
                    (others(&charts))
                    (timelines(&charts))
                    (how(&found.how()))
                    (data())
                }
                // Begins a line, so that a program for lines finds it.
                (PreEscaped("\n<script id=\"data\" type=\"application/json\">\n"))
                (PreEscaped(inert(json.trim_end())))
                (PreEscaped("\n</script>\n"))
            }
        }
    };
    Ok(page.into_string())
}

/// JSON in which nothing ends the element that it stands in. Outside of strings it has none of these characters.
fn inert(json: &str) -> String {
    json.replace('<', r"\u003c")
        .replace('>', r"\u003e")
        .replace('&', r"\u0026")
}

fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(POLICY);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="referrer" content="no-referrer";
            title { (title) " – Triway" }
            style { (PreEscaped(STYLE)) }
        }
    }
}

fn header(found: &dyn Found) -> Markup {
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    html! {
        header {
            p.eyebrow {
                b { "Triway" } span { (found.title()) }
                time datetime=(now) { (now.replace('T', " ").trim_end_matches('Z')) " UTC" }
            }
            h1 { (found.verdict()) }
        }
    }
}

/// What is looked at first.
fn first(charts: &[Chart]) -> Markup {
    html! {
        @for chart in charts {
            @if let Chart::Bars { title, unit, bars } = chart && !bars.is_empty() {
                section { h2 { (title) } (bars::draw(bars, *unit)) }
            }
        }
    }
}

/// The tables, and what is said below them but for the verdict.
fn figures(found: &dyn Found, charts: &[Chart]) -> Markup {
    let sheet = found.sheet();
    let verdict = found.verdict();
    let remarks: Vec<&String> = sheet
        .remarks
        .iter()
        .filter(|remark| **remark != verdict)
        .collect();
    html! {
        @for grid in &sheet.grids {
            section {
                h2 { (grid.title.as_deref().unwrap_or("Figures")) }
                (table(grid, charts))
            }
        }
        @if !remarks.is_empty() {
            section {
                h2 { "Evidence and remarks" }
                ul.remarks { @for remark in remarks { li { (remark) } } }
            }
        }
    }
}

fn table(grid: &Grid, charts: &[Chart]) -> Markup {
    let heading = |heading: &Heading| html! { th.words[heading.words] scope="col" { (heading.long.replace(" %", "\u{a0}%")) } };
    html! {
        div.wide tabindex="0" {
            table {
                thead { tr { @for column in &grid.headings { (heading(column)) } } }
                tbody {
                    @for row in &grid.rows {
                        tr.marked[row.first().is_some_and(|id| is_marked(id, charts))] {
                            @for (column, cell) in grid.headings.iter().zip(row) {
                                td.words[column.words] { (lines(cell)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Two figures that belong together stand one above the other.
fn lines(cell: &str) -> Markup {
    let mut lines = cell.lines();
    html! {
        (lines.next().unwrap_or_default())
        @for line in lines { span.second { (line) } }
    }
}

fn is_marked(id: &str, charts: &[Chart]) -> bool {
    charts.iter().any(|chart| match chart {
        Chart::Bars { bars, .. } => bars.iter().any(|bar| bar.marked && bar.label == id),
        _ => false,
    })
}

fn others(charts: &[Chart]) -> Markup {
    html! {
        @for chart in charts {
            @match chart {
                Chart::Curves { title, x, y, x_doubles, unit, curves } if !curves.is_empty() => {
                    @let axes = curves::Axes { x, y, x_doubles: *x_doubles, unit: *unit };
                    section { h2 { (title) } (curves::draw(curves, &axes)) }
                }
                Chart::Distributions { title, unit, spreads } if !spreads.is_empty() => {
                    section {
                        h2 { (title) }
                        (distributions::draw(spreads, *unit))
                        p.note { "Each shape has its own height; to the right is longer, and equal steps multiply." }
                    }
                }
                _ => {}
            }
        }
    }
}

fn timelines(charts: &[Chart]) -> Markup {
    let timeline =
        |chart: &Chart| matches!(chart, Chart::Timeline { spans, .. } if !spans.is_empty());
    html! {
        @if charts.iter().any(timeline) {
            section {
                h2 { "Who ran what when" }
                @for chart in charts.iter().filter(|chart| timeline(chart)) {
                    @if let Chart::Timeline { title, startup, attempts, spans } = chart {
                        h3 { (title) }
                        (timeline::draw(&Lanes { startup: *startup, attempts: *attempts, spans }))
                    }
                }
                p.note {
                    "A row is a lane, a block an attempt, in two tones in turn; red ones failed. "
                    "The shaded part is start-up. Each picture has its own axis."
                }
            }
        }
    }
}

fn how(how: &[(&'static str, String)]) -> Markup {
    html! {
        @if !how.is_empty() {
            section {
                h2 { "How it was measured" }
                dl { @for (name, value) in how { dt { (name) } dd { (value) } } }
            }
        }
    }
}

fn data() -> Markup {
    html! {
        section.data {
            h2 { "The figures themselves" }
            p { "They are in this page as JSON. To have them in a file of their own:" }
            div.wide tabindex="0" { pre { code { (EXTRACT) } } }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::findings::{Bar, Records, Sheet};

    const EVIL: &str = "</script><script>alert(1)</script><!-- & \"'";

    struct Evil;

    impl Found for Evil {
        fn json(&self, _pretty: bool, to: &mut dyn Write) -> io::Result<()> {
            serde_json::to_writer(&mut *to, &serde_json::json!({ "evil": EVIL }))?;
            to.write_all(b"\n")
        }

        fn sheet(&self) -> Sheet {
            let row = vec![EVIL.to_owned(), format!("{EVIL}\n{EVIL}")];
            Sheet {
                grids: vec![Grid {
                    title: Some(EVIL.to_owned()),
                    headings: vec![Heading::words("a", "a"), Heading::figures("b", "b")],
                    rows: vec![row],
                }],
                remarks: vec![EVIL.to_owned(), format!("verdict {EVIL}")],
            }
        }

        fn records(&self) -> Records {
            Records::default()
        }

        fn charts(&self) -> Vec<Chart> {
            let bar = Bar {
                label: EVIL.to_owned(),
                value: 1.0,
                interval: None,
                marked: true,
            };
            vec![Chart::Bars {
                title: EVIL.to_owned(),
                unit: crate::people::figures::time,
                bars: vec![bar],
            }]
        }

        fn title(&self) -> String {
            EVIL.to_owned()
        }

        fn how(&self) -> Vec<(&'static str, String)> {
            vec![("Inputs", EVIL.to_owned())]
        }
    }

    #[test]
    fn nothing_that_somebody_wrote_is_markup() {
        let page = page(&Evil).unwrap();
        assert_eq!(page.matches("<script").count(), 1, "{page}");
        assert_eq!(page.matches("</script").count(), 1, "{page}");
        assert!(!page.contains("<!--"), "{page}");
        assert!(page.contains("<h1>verdict &lt;/script&gt;"), "{page}");
        assert!(page.contains("<tr class=\"marked\">"), "{page}");
    }

    #[test]
    fn the_figures_are_a_line_of_their_own() {
        let page = page(&Evil).unwrap();
        let mut lines = page
            .lines()
            .skip_while(|line| !line.starts_with("<script id=\"data\""));
        let json: serde_json::Value = serde_json::from_str(lines.nth(1).unwrap()).unwrap();
        assert_eq!(json["evil"], EVIL);
        assert_eq!(lines.next(), Some("</script>"));
    }

    #[test]
    fn nothing_comes_from_elsewhere() {
        let page = page(&Evil).unwrap();
        for word in ["src=", "href=", "url(", "@import", "http://", "https://"] {
            assert!(!page.contains(word), "{word}");
        }
        assert!(
            page.contains("default-src &#39;none&#39;") || page.contains("default-src 'none'"),
            "{page}"
        );
    }
}
