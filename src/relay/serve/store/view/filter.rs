//! A statement that is put together from what is asked: its text is this program's, every value is bound.

use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use super::super::trouble::StoreError;
use super::super::work::Work;
use super::After;

/// The end of a statement, with its values.
#[derive(Default)]
pub struct Conditions {
    text: String,
    values: Vec<Value>,
}

enum Value {
    Text(String),
    Number(i64),
}

impl Conditions {
    /// What has to hold as well; every `?` in it stands for this text.
    pub fn text(&mut self, condition: &str, value: &str) {
        self.push(condition, Value::Text(value.to_string()));
    }

    /// Likewise, where a text is asked for.
    pub fn maybe(&mut self, condition: &str, value: Option<&String>) {
        if let Some(value) = value {
            self.text(condition, value);
        }
    }

    /// Likewise, with a number.
    pub fn number(&mut self, condition: &str, value: i64) {
        self.push(condition, Value::Number(value));
    }

    /// What has to hold as well, without a value.
    pub fn plain(&mut self, condition: &str) {
        self.text.push_str(if self.text.is_empty() { " WHERE " } else { " AND " });
        self.text.push_str(condition);
    }

    /// What follows in a list that is sorted by a moment, the newest first, and then by an identifier.
    pub fn follow(&mut self, (at, id): (&str, &str), after: Option<&After>) {
        let Some(after) = after else { return };
        self.number(&format!("{at} <= ?"), after.at);
        let number = self.values.len();
        self.text(&format!("({at} < ${number} OR {id} > ?)"), &after.id);
    }

    /// The rows of a statement that begins with `select` and ends with `order`, `most` of them at most.
    ///
    /// # Errors
    /// The database's.
    pub async fn rows(
        self,
        work: &mut Work<'_>,
        select: &str,
        order: &str,
        most: i64,
    ) -> Result<Vec<AnyRow>, StoreError> {
        let text = format!("{select}{} ORDER BY {order} LIMIT ${}", self.text, self.values.len() + 1);
        let mut query = sqlx::query(AssertSqlSafe(text));
        for value in self.values {
            query = match value {
                Value::Text(text) => query.bind(text),
                Value::Number(number) => query.bind(number),
            };
        }
        Ok(query.bind(most).fetch_all(&mut *work.connection).await?)
    }

    fn push(&mut self, condition: &str, value: Value) {
        self.values.push(value);
        self.plain(&condition.replace('?', &format!("${}", self.values.len())));
    }
}

/// The pattern of what contains a text, for `LIKE … ESCAPE '!'`, in small letters.
pub fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in text.to_lowercase().chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_anything_in_a_pattern_stands_for_itself_in_a_search() {
        assert_eq!(containing("100%_Full!"), "%100!%!_full!!%");
    }
}
