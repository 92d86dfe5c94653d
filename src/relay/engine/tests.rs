//! Templates that are written every day, and those that try to stall or exhaust the machine.

use super::*;

/// What a template comes to: its text, or what is wrong with it.
fn check(text: &str) -> String {
    let data = "x".repeat(24 * 1024);
    let root = serde_json::json!({"data": data, "list": ["a", "b"], "map": {"k": "v"}});
    let root = Value::from(minijinja::value::Serde(&root));
    match render(text, root, UndefinedBehavior::Strict, &mut Allowance::of_a_template()) {
        Ok(text) if text.len() > 80 => format!("{} bytes", text.len()),
        Ok(text) => text,
        Err(fault) => format!("line {}: {}", fault.line, fault.detail),
    }
}

#[test]
fn what_templates_are_written_with_works() {
    let templates = [
        "{{ 'a' ~ 1 ~ list[0] }} {{ 1 + 2 * 3 }} {{ '-' * 5 }} {{ 'a' + 'b' }} {{ list + ['c'] }} {{ 7 // 2 }} {{ 7 % 2 }}",
        "{{ 'abcdef'[1:4] }} {{ 'abc'[::-1] }} {{ list[:1] }} {{ (1, 2) }} {{ {'a': 1} }} {{ 'a' in list }} {{ 'a' not in list }}",
        "{% for k, v in map|items %}{{ k }}={{ v }}{% endfor %} {% for i in range(3) %}{{ loop.index }}{% if not loop.last %},{% endif %}{% endfor %}",
        "{% set n = 2 %}{{ n == 2 }} {{ n < 3 and n >= 1 }} {{ 'x' if n != 2 else 'y' }} {{ list|join(', ') }} {{ list|length }}",
        "{{ 'a b'|replace(' ', '_') }} {{ 'a\nb'|indent(2) }} {{ '%5.2f|%s'|format(1.5, 'x') }} {{ list|map('upper')|list }} {{ 'A'|lower }}",
        "{{ list is defined }} {{ list|select('equalto', 'b')|first }} {{ none|default('d', true) }} {{ 'x'|e }} {{ dict(a=1).a }}",
        "{% for i in range(3) %}{{ loop.cycle('a', 'b') }}{% endfor %}{% with a = 1 %}{{ a }}{% endwith %} {{ list|sort(reverse=true)|join }} {{ [3, 1]|min }} {{ '5'|int + 1 }} {{ 'a,b'|split(',') }}",
    ];
    let said: Vec<String> = templates.iter().map(|text| check(text)).collect();
    insta::assert_snapshot!(said.join("\n"));
}

/// None of these may take much time or memory; that this test ends at all is most of what it says.
#[test]
fn a_hostile_template_is_an_error() {
    let doubling = "{% set a = data %}".to_string() + &"{% set a = a ~ a %}".repeat(60) + "{{ a|length }}";
    let adding = "{% set a = 'x' %}".to_string() + &"{% set a = a + a %}".repeat(60) + "{{ a|length }}";
    let lists = "{% set a = [1] %}".to_string() + &"{% set a = [a, a] %}".repeat(60) + "{{ a }}";
    let maps = "{% set a = {} %}".to_string() + &"{% set a = {'a': a, 'b': a} %}".repeat(60) + "{{ a == a }}";
    let tuples = "{% set a = () %}".to_string() + &"{% set a = (a, a) %}".repeat(60) + "{{ a }}";
    let deep = "{% set a = [] %}".to_string() + &"{% set a = [a] %}".repeat(1_500) + "{{ a }}";
    let nested = "{% for a in [data ~ data] %}".repeat(3)
        + &"{% for a in [a ~ a] %}".repeat(40)
        + "{{ a|length }}"
        + &"{% endfor %}".repeat(43);
    let chained = "{{ data".to_string() + &"|replace('x', 'xxxxxxxxxxxxxxxx')".repeat(10) + "}}";
    let raw = "{% for i in range(9999) %}".to_string() + &"y".repeat(60_000) + "{% endfor %}";
    let mut hostile: Vec<(&str, String)> = vec![
        ("doubling with ~", doubling),
        ("doubling with +", adding),
        ("lists in lists", lists),
        ("maps in maps", maps),
        ("tuples in tuples", tuples),
        ("deep", deep),
        ("nested loops", nested),
        ("replace", chained),
        ("own text", raw),
        ("a long chain", "{{ 'a'".to_string() + &"~'a'".repeat(10_000) + "}}"),
        ("a long sum", "{{ 1".to_string() + &"+1".repeat(30_000) + "}}"),
        ("filters", "{{ data".to_string() + &"|upper".repeat(9_000) + "}}"),
        ("attributes", "{{ data".to_string() + &".a".repeat(30_000) + "}}"),
        ("brackets", "{{ ".to_string() + &"[".repeat(60_000)),
        ("parentheses", "{{ ".to_string() + &"(".repeat(60_000)),
        ("nots", "{{ ".to_string() + &"not ".repeat(15_000) + "x }}"),
        ("minus", "{{ ".to_string() + &"-".repeat(60_000) + "1 }}"),
        ("ifs", "{% if 1 %}".repeat(6_000)),
        ("elifs", "{% if 0 %}".to_string() + &"{% elif 0 %}".repeat(5_000) + "{% endif %}"),
        ("elifs, fewer", "{% if 0 %}".to_string() + &"{% elif 0 %}".repeat(100) + "{% endif %}"),
        ("ifs, fewer", "{% if 1 %}".repeat(140) + &"{% endif %}".repeat(140)),
        ("brackets, fewer", "{{ ".to_string() + &"[".repeat(140) + &"]".repeat(140) + "}}"),
        ("a chain, fewer", "{{ data".to_string() + &"~data".repeat(190) + "}}"),
        ("filters, fewer", "{{ data".to_string() + &"|upper".repeat(190) + "}}"),
        ("attributes, fewer", "{{ data".to_string() + &".a".repeat(190) + "}}"),
        ("nots, fewer", "{{ ".to_string() + &"not ".repeat(390) + "x }}"),
        ("large", "x".repeat(70_000)),
    ];
    let short = [
        "{{ 'x' * 10**9 }}",
        "{{ 'x' * 1000000000 }}",
        "{{ ('x' * 30000) ~ ('x' * 30000) }}",
        "{{ data * 99999 }}",
        "{{ data * (data|length) }}",
        "{{ [1] * 99999999 }}",
        "{{ list * (data|length) * (data|length) }}",
        "{{ [1] * (1 / 0.0000001) }}",
        "{{ data|indent(99999999999) }}",
        "{{ ('\n' * 9000)|indent(900) }}",
        "{{ data|indent('x' * 30000) }}",
        "{{ '%099999999999d'|format(1) }}",
        "{{ '%*d'|format(999999999, 1) }}",
        "{{ '%.999999999f'|format(1) }}",
        "{{ data|replace('', data) }}",
        "{{ data|list|join(data) }}",
        "{{ data|batch(99999999999, 'x') }}",
        "{{ data|slice(99999999999) }}",
        "{{ list|batch(900)|batch(900)|batch(900)|pprint }}",
        "{% for i in range(100000) %}{% for j in range(100000) %}{{ i }}{% endfor %}{% endfor %}",
        "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}",
        "{% for i in range(9999) %}{{ data }}{% endfor %}",
        "{% for i in range(9999) %}{% if data|upper == data|lower %}{% endif %}{% endfor %}",
        "{% for i in range(9999) %}{% if data is eq(data) %}{% endif %}{% endfor %}",
        "{% for i in data * 50 %}{% endfor %}",
        "{{ range(99999999999999) }}",
        "{{ range(0, 99999999999999, 2)|list }}",
        "{% set ns = namespace(a='x') %}{% for i in range(99) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}",
        "{% set a %}{{ data }}{% endset %}",
        "{% filter upper %}{{ data }}{% endfilter %}",
        "{% for a in list recursive %}{{ loop([a, a]) }}{% endfor %}",
        "{{ range(*data) }}",
        "{{ dict(**map) }}",
        "{{ 1 < 2 < 3 }}",
        "{{ debug() }}",
        "{{ data|chain(data)|list }}{{ list|zip(data)|list }}",
        "{{ list|sum(start='') }}",
        "{{ data|map('replace', 'x', data)|list }}",
        "{{ 'x'|round(999999999) }}{{ 1.5|round(999999999) }}",
        "{% for i in range(90) %}{% if loop.changed(data, data, data) %}{% endif %}{% endfor %}",
        "{% for i in range(90) %}{% if loop['changed'](data) %}{% endif %}{% endfor %}",
        "{% for i in range(90) %}{% set f = loop.changed %}{{ f(data) }}{% endfor %}",
        "{{ data.upper() }}",
        "{% for i in range(3) %}{{ loop.cycle() }}{% endfor %}",
        "{% for i in range(3) %}{{ loop.cycle(*list) }}{% endfor %}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% include 'x' %}",
    ];
    hostile.extend(short.iter().map(|text| (*text, (*text).to_string())));
    let said: Vec<String> = hostile
        .iter()
        .map(|(name, text)| {
            let started = std::time::Instant::now();
            let said = check(text);
            // Hundreds of times what they take: only something that does not end soon fails here.
            assert!(started.elapsed().as_secs() < 20, "{name} takes {:?}", started.elapsed());
            format!("{}: {said}", name.replace('\n', "\\n"))
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"));
}
#[test]
fn templates_that_run_together_have_one_allowance() {
    let root = || Value::from(minijinja::value::Serde(&serde_json::json!({"a": "x"})));
    let costly = "{% for i in range(1500) %}{{ a ~ i ~ a ~ i }}{% endfor %}";
    let mut allowance = Allowance::of_a_delivery();
    let run = |text: &str, allowance: &mut Allowance| render(text, root(), UndefinedBehavior::Strict, allowance);
    let mut runs = 0;
    while run(costly, &mut allowance).is_ok() {
        runs += 1;
    }
    assert!((2..60).contains(&runs), "{runs} runs");
    assert!(run(costly, &mut allowance).unwrap_err().is_limit && allowance.is_used_up());
    let mut allowance = Allowance::of_a_delivery();
    // Of a thousand alerts with ten plain templates each, and five that fail, this is a hundredth.
    for _ in 0..10 {
        (0..10).for_each(|_| assert!(run("{{ a }} on {{ a|upper }}", &mut allowance).is_ok()));
        (0..5).for_each(|_| assert!(!run("{{ a|int }}", &mut allowance).unwrap_err().is_limit));
    }
    let left = Allowance::of_a_delivery();
    assert!(left.steps - allowance.steps < left.steps / 100, "{allowance:?}");
    assert!(left.weight - allowance.weight < left.weight / 100, "{allowance:?}");
}
