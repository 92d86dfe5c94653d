//! What alarms of Amazon CloudWatch tell.

use serde_json::{Value, json};

use super::{data_of, payload};

#[test]
fn an_alarm_on_an_expression_says_where_it_measures() {
    let metric = |id: &str, name: &str| {
        let metric = json!({"Namespace": "AWS/ApplicationELB", "MetricName": name,
            "Dimensions": [{"name": "LoadBalancer", "value": "app/shop/50dc"}]});
        json!({"Id": id, "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "ReturnData": false})
    };
    let mut body = payload("cloudwatch-raw-without-arn");
    body["Trigger"] = json!({"Period": 60, "EvaluationPeriods": 1, "Threshold": 5.0, "Metrics": [
        {"Id": "e1", "Expression": "m1 / m2 * 100", "Label": "error rate", "ReturnData": true},
        metric("m1", "HTTPCode_Target_5XX_Count"),
        metric("m2", "RequestCount"),
    ]});
    insta::assert_snapshot!(data_of(&body), @"
    Title: orders-api-5xx
    State: firing
    Message: More than 10 answers with 5xx in 5 minutes
    Labels:
      AWSAccountId: 123456789012
      LoadBalancer: app/shop/50dc
      MetricName: HTTPCode_Target_5XX_Count, RequestCount
      Namespace: AWS/ApplicationELB
      Region: EU (Frankfurt)
    Annotations:
      EvaluationPeriods: 1
      Expression: m1 / m2 * 100
      NewStateReason: Threshold Crossed: 1 datapoint [17.0 (01/03/26 10:00:00)] was greater than the threshold (10.0).
      OldStateValue: OK
      Period: 60
      Threshold: 5.0
    ");
}

#[test]
fn an_alarm_on_other_alarms_names_them() {
    let mut body = payload("cloudwatch-raw-without-arn");
    body["AlarmRule"] = json!("ALARM(a) OR ALARM(b)");
    body["TriggeringChildren"] = json!([{"Arn": "arn:a", "State": {"Value": "ALARM"}}, {"Arn": "arn:b"}, {}]);
    body["Trigger"] = Value::Null;
    insta::assert_snapshot!(data_of(&body), @"
    Title: orders-api-5xx
    State: firing
    Message: More than 10 answers with 5xx in 5 minutes
    Labels:
      AWSAccountId: 123456789012
      Region: EU (Frankfurt)
    Annotations:
      AlarmRule: ALARM(a) OR ALARM(b)
      NewStateReason: Threshold Crossed: 1 datapoint [17.0 (01/03/26 10:00:00)] was greater than the threshold (10.0).
      OldStateValue: OK
      TriggeringChildren: arn:a, arn:b
    ");
}
