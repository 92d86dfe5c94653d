//! Prometheus' text format, version 0.0.4. Pure.

use std::fmt::Write as _;

use super::registry::{Registry, Series};
use super::table::{Kind, Metric, Row};

/// What the format calls itself.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Every metric that one of these registries has series of, in the order of the table.
pub fn write(registries: &[&Registry]) -> String {
    let mut text = String::new();
    for metric in Metric::ALL {
        let mut series = registries.iter().flat_map(|registry| registry.series(*metric)).peekable();
        if series.peek().is_none() {
            continue;
        }
        let row = metric.row();
        head(&mut text, &row);
        for (labels, series) in series {
            match (series, row.kind) {
                (Series::Number(number), _) => line(&mut text, row.name, &row, labels, None, *number),
                (Series::Times { counts, sum }, Kind::Histogram(bounds)) => {
                    times(&mut text, &row, labels, (bounds, counts), *sum);
                }
                (Series::Times { .. }, _) => {}
            }
        }
    }
    text
}

fn head(text: &mut String, row: &Row) {
    // Writing to a text never fails.
    let _ = writeln!(text, "# HELP {} {}", row.name, row.help);
    let _ = writeln!(text, "# TYPE {} {}", row.name, row.kind.word());
}

fn times(text: &mut String, row: &Row, labels: &[String], (bounds, counts): (&[f64], &[u64]), sum: f64) {
    let (bucket, mut so_far) = (format!("{}_bucket", row.name), 0);
    let bounds = bounds.iter().map(ToString::to_string).chain(["+Inf".to_string()]);
    for (bound, count) in bounds.zip(counts) {
        so_far += count;
        line(text, &bucket, row, labels, Some(&bound), so_far as f64);
    }
    line(text, &format!("{}_sum", row.name), row, labels, None, sum);
    line(text, &format!("{}_count", row.name), row, labels, None, so_far as f64);
}

fn line(text: &mut String, name: &str, row: &Row, labels: &[String], bound: Option<&str>, value: f64) {
    let names = row.labels.iter().flat_map(|labels| labels.names()).copied();
    let pairs = names.zip(labels.iter().map(String::as_str)).chain(bound.map(|bound| ("le", bound)));
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    let labels = if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) };
    let _ = writeln!(text, "{name}{labels} {value}");
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::super::labels::Names;
    use super::*;

    #[test]
    fn series_are_written_as_prometheus_reads_them() {
        let mut registry = Registry::default();
        let metrics = [Metric::StoreSeconds, Metric::StoreUp, Metric::Alerts];
        registry.expect(Names::default(), metrics.into_iter());
        registry.observe(Metric::StoreSeconds, &[], 0.004);
        registry.observe(Metric::StoreSeconds, &[], 0.005);
        registry.observe(Metric::StoreSeconds, &[], 9.0);
        registry.add(Metric::Alerts, &["a \"foreign\"\ntext", "started"], 2.0);
        registry.add(Metric::Alerts, &["another", "started"], 1.0);
        registry.set(Metric::ReloadTime, &[], 1_795_867_200.5);
        insta::assert_snapshot!(write(&[&registry]), @r#"
        # HELP alert_relay_alerts_total Alerts of deliveries by what became of them: a job of their own, part of one, suppressed, or nothing.
        # TYPE alert_relay_alerts_total counter
        alert_relay_alerts_total{route="(other)",taken="started"} 3
        # HELP alert_relay_rules_last_reload_success_timestamp_seconds When the rules in force were read, in Unix seconds.
        # TYPE alert_relay_rules_last_reload_success_timestamp_seconds gauge
        alert_relay_rules_last_reload_success_timestamp_seconds 1795867200.5
        # HELP alert_relay_store_transaction_duration_seconds How long transactions of the store took.
        # TYPE alert_relay_store_transaction_duration_seconds histogram
        alert_relay_store_transaction_duration_seconds_bucket{le="0.001"} 0
        alert_relay_store_transaction_duration_seconds_bucket{le="0.0025"} 0
        alert_relay_store_transaction_duration_seconds_bucket{le="0.005"} 2
        alert_relay_store_transaction_duration_seconds_bucket{le="0.01"} 2
        alert_relay_store_transaction_duration_seconds_bucket{le="0.025"} 2
        alert_relay_store_transaction_duration_seconds_bucket{le="0.05"} 2
        alert_relay_store_transaction_duration_seconds_bucket{le="0.1"} 2
        alert_relay_store_transaction_duration_seconds_bucket{le="0.25"} 2
        alert_relay_store_transaction_duration_seconds_bucket{le="0.5"} 2
        alert_relay_store_transaction_duration_seconds_bucket{le="1"} 2
        alert_relay_store_transaction_duration_seconds_bucket{le="5"} 2
        alert_relay_store_transaction_duration_seconds_bucket{le="+Inf"} 3
        alert_relay_store_transaction_duration_seconds_sum 9.009
        alert_relay_store_transaction_duration_seconds_count 3
        # HELP alert_relay_store_up Whether the store answered the question for the metrics within 2 s. If not, the metrics that come from it are left out.
        # TYPE alert_relay_store_up gauge
        alert_relay_store_up 0
        "#);
    }
}
