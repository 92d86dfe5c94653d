//! Every message of the senders that code reads, and what it becomes.

use super::{Grouping, alerts, names, payload, sender_of, tell};
use crate::relay::alert::Format;

#[test]
fn every_payload_of_a_sender_that_code_reads_becomes_alerts() {
    let mut story = String::new();
    let is_coded = |name: &String| Format::CODED.contains(&sender_of(name).format);
    for name in names().into_iter().filter(is_coded) {
        let value = payload(&name);
        let group = alerts(&value, Grouping::Group).unwrap();
        let single = alerts(&value, Grouping::PerAlert).unwrap();
        story.push_str(&format!("{name}: {}, {} and {}\n", group[0].format, group.len(), single.len()));
        group.iter().for_each(|alert| story.push_str(&format!("  {}", tell(alert))));
        if single != group {
            single.iter().for_each(|alert| story.push_str(&format!("  per alert: {}", tell(alert))));
        }
    }
    insta::assert_snapshot!(story, @"
    alertmanager-group-firing: alertmanager, 1 and 2
      firing | critical | 2026-03-01T09:55:00Z | CheckoutErrors: 5xx ratio above 5 %
        alertmanager:devin-relay:578665be604297dd9b5dc8968b
      per alert: firing | critical | 2026-03-01T09:58:12.500Z | CheckoutErrors: 5xx ratio above 5 %
        alertmanager:devin-relay:81e1bca167ec45d48966cba973
      per alert: firing | medium | 2026-03-01T09:55:00Z | CheckoutErrors: 5xx ratio above 5 %
        alertmanager:devin-relay:2c086075619c1c305b6f63fdb9
    alertmanager-mixed: alertmanager, 1 and 2
      firing | medium | 2026-03-01T09:58:12.500Z | CheckoutErrors: 5xx ratio above 5 %
        alertmanager:devin-relay:578665be604297dd9b5dc8968b
      per alert: resolved | critical | 2026-03-01T08:00:00Z | CheckoutErrors: 5xx ratio above 5 %
        alertmanager:devin-relay:81e1bca167ec45d48966cba973
      per alert: firing | medium | 2026-03-01T09:58:12.500Z | CheckoutErrors: 5xx ratio above 5 %
        alertmanager:devin-relay:2c086075619c1c305b6f63fdb9
    alertmanager-resolved: alertmanager, 1 and 1
      resolved | critical | 2026-03-01T09:58:12.500Z | CheckoutErrors: 5xx ratio above 5 %
        alertmanager:devin-relay:578665be604297dd9b5dc8968b
      per alert: resolved | critical | 2026-03-01T09:58:12.500Z | CheckoutErrors: 5xx ratio above 5 %
        alertmanager:devin-relay:81e1bca167ec45d48966cba973
    alertmanager-version-3: alertmanager, 1 and 1
      firing | critical | 2026-03-01T09:58:12.500Z | NodeDown: node is gone
        alertmanager:on-call:051faf231a2199db045deb3360
      per alert: firing | critical | 2026-03-01T09:58:12.500Z | NodeDown: node is gone
        alertmanager:on-call:0873813c73f175388ca774862a
    cloudevents-firing: cloudevents, 1 and 1
      firing | medium | 2026-03-01T10:00:00Z | Consumer lag of orders
        cloudevents:/monitoring/shop#orders-lag
    cloudevents-resolved-by-type: cloudevents, 1 and 1
      resolved | - | 2026-03-01T11:00:00Z | Consumer lag of orders
        cloudevents:/monitoring/shop#orders-lag
    cloudevents-without-subject: cloudevents, 1 and 1
      firing | high | 2026-03-01T10:00:00Z | com.example.build.failed
        cloudevents:49a1e2cc2dda68499994cc3abf
    cloudwatch-eventbridge-firing: cloudwatch, 1 and 1
      firing | - | 2026-03-01T10:00:00Z | orders-queue-depth
        cloudwatch:arn:aws:cloudwatch:eu-central-1:123456789012:alarm:orders-queue-depth
    cloudwatch-eventbridge-resolved: cloudwatch, 1 and 1
      resolved | - | 2026-03-01T10:00:00Z | orders-queue-depth
        cloudwatch:arn:aws:cloudwatch:eu-central-1:123456789012:alarm:orders-queue-depth
    cloudwatch-lambda-firing: cloudwatch, 1 and 1
      firing | - | 2026-03-01T10:00:00Z | orders-queue-depth
        cloudwatch:arn:aws:cloudwatch:eu-central-1:123456789012:alarm:orders-queue-depth
    cloudwatch-lambda-records: cloudwatch, 1 and 1
      INSUFFICIENT_DATA | - | 2026-03-01T10:05:12.345Z | orders-api-5xx
        cloudwatch:arn:aws:cloudwatch:eu-central-1:123456789012:alarm:orders-api-5xx
    cloudwatch-raw-without-arn: cloudwatch, 1 and 1
      firing | - | 2026-03-01T10:05:12.345Z | orders-api-5xx
        cloudwatch:123456789012#EU (Frankfurt)#orders-api-5xx
    cloudwatch-sns-alarm: cloudwatch, 1 and 1
      firing | - | 2026-03-01T10:05:12.345Z | orders-api-5xx
        cloudwatch:arn:aws:cloudwatch:eu-central-1:123456789012:alarm:orders-api-5xx
    cloudwatch-sns-ok: cloudwatch, 1 and 1
      resolved | - | 2026-03-01T10:05:12.345Z | orders-api-5xx
        cloudwatch:arn:aws:cloudwatch:eu-central-1:123456789012:alarm:orders-api-5xx
    datadog-default-body: datadog, 1 and 1
      firing | - | 2026-03-01T10:00:00Z | CPU is high on web-1
        datadog:8359596f023de72d0c37783112
    datadog-no-data-without-cycle-key: datadog, 1 and 1
      firing | medium | 2026-03-01T10:00:00Z | CPU is high on web-1
        datadog:alert#20931177#host:web-1
    datadog-recovered: datadog, 1 and 1
      resolved | medium | 2026-03-01T11:00:00Z | CPU is high on web-1
        datadog:cycle#8377512345678901234
    datadog-triggered: datadog, 1 and 1
      firing | medium | 2026-03-01T10:00:00Z | CPU is high on web-1
        datadog:cycle#8377512345678901234
    generic-firing: generic, 1 and 1
      firing | high | 2026-03-01T03:14:00Z | Nightly export failed
        generic:6fabaa1a6bfc10a98f2e49558e
    generic-minimal: generic, 1 and 1
      firing | - | - | something is wrong
        generic:614757f4eed4a95980edc095aa
    generic-resolved-with-key: generic, 1 and 1
      resolved | info | - | Nightly export failed
        generic:export/nightly
    grafana-firing: grafana, 1 and 1
      firing | high | 2026-03-01T10:02:30Z | ReplicationLag: replication lag is above 30 s
        grafana:Devin--payments-:5efc8f206ccf966b4c04592a88
      per alert: firing | high | 2026-03-01T10:02:30Z | ReplicationLag: replication lag is above 30 s
        grafana:Devin--payments-:e29710dd28949284c1a24247d3
    grafana-legacy: grafana, 1 and 1
      firing | - | - | [Alerting] Disk used
        grafana:rule#grafana.example#1#6
    grafana-mixed: grafana, 1 and 3
      firing | high | 2026-03-01T10:02:30Z | ReplicationLag: replication lag is above 30 s
        grafana:Devin--payments-:5efc8f206ccf966b4c04592a88
      per alert: resolved | high | 2026-03-01T10:02:30Z | ReplicationLag: replication lag is above 30 s
        grafana:Devin--payments-:e29710dd28949284c1a24247d3
      per alert: firing | high | 2026-03-01T10:02:30Z | ReplicationLag: replication lag is above 30 s
        grafana:Devin--payments-:5e43fa6919e4f5cee40576269a
      per alert: firing | high | 2026-03-01T10:02:30Z | ReplicationLag: replication lag is above 30 s
        grafana:Devin--payments-:b678fd92b376b90a9d29d437aa
    grafana-resolved-without-organization: grafana, 1 and 1
      resolved | high | 2026-03-01T10:02:30Z | DatasourceNoData: replication lag is above 30 s
        grafana:Devin--payments-:882109cbfa5c3522533c074a4f
      per alert: resolved | high | 2026-03-01T10:02:30Z | DatasourceNoData: replication lag is above 30 s
        grafana:Devin--payments-:4908be33242b044c0aa5b51006
    opsgenie-acknowledge: opsgenie, 1 and 1
      Acknowledge | medium | 2026-03-01T10:00:00.123Z | Queue of orders is not drained
        opsgenie:d1f0a9b8-5c4e-4d2f-8b7a-3e6c9f012345-1772359200123
    opsgenie-close: opsgenie, 1 and 1
      resolved | high | 2026-03-01T10:00:00.123Z | Queue of orders is not drained
        opsgenie:d1f0a9b8-5c4e-4d2f-8b7a-3e6c9f012345-1772359200123
    opsgenie-create: opsgenie, 1 and 1
      firing | high | 2026-03-01T10:00:00.123Z | Queue of orders is not drained
        opsgenie:d1f0a9b8-5c4e-4d2f-8b7a-3e6c9f012345-1772359200123
    pagerduty-acknowledged-older: pagerduty, 1 and 1
      acknowledged | low | 2026-03-01T10:00:04.120Z | Checkout latency p99 above 2 s
        pagerduty:Q1K2M3N4P5R6S7
    pagerduty-resolved: pagerduty, 1 and 1
      resolved | high | 2026-03-01T10:00:03Z | Checkout latency p99 above 2 s
        pagerduty:Q1K2M3N4P5R6S7
    pagerduty-triggered: pagerduty, 1 and 1
      firing | high | 2026-03-01T10:00:03Z | Checkout latency p99 above 2 s
        pagerduty:Q1K2M3N4P5R6S7
    sentry-event-alert: sentry, 1 and 1
      firing | high | 2026-03-01T10:01:11.482Z | KeyError: 'basket_id'
        sentry:5123456789
    sentry-issue-archived: sentry, 1 and 1
      archived | high | 2026-03-01T10:01:11.482Z | KeyError: 'basket_id'
        sentry:5123456789
    sentry-issue-created: sentry, 1 and 1
      firing | high | 2026-03-01T10:01:11.482Z | KeyError: 'basket_id'
        sentry:5123456789
    sentry-issue-resolved: sentry, 1 and 1
      resolved | high | 2026-03-01T10:01:11.482Z | KeyError: 'basket_id'
        sentry:5123456789
    sentry-metric-alert: sentry, 1 and 1
      firing | critical | 2026-03-01T09:50:00Z | Critical: Failure rate of checkout
        sentry:metric_alert#9912
    ");
}
