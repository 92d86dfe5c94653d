//! Who a key belongs to, from `/v3/self`.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// The owner of a key. No field is certain: one that is absent or not what it should be is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Principal {
    /// `service_user`, `pat_user` or another kind.
    pub principal_type: Option<String>,
    /// The organization of the key; `None` for an enterprise key, and often for a personal access token.
    pub org_id: Option<String>,
    /// The organization that a personal access token's sessions belong to.
    pub devin_sessions_org_id: Option<String>,
    service_user_name: Option<String>,
    user_name: Option<String>,
}

impl<'de> Deserialize<'de> for Principal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Principal, D::Error> {
        let fields = Map::<String, Value>::deserialize(deserializer)?;
        let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_string);
        Ok(Principal {
            principal_type: text("principal_type"),
            org_id: text("org_id"),
            devin_sessions_org_id: text("devin_sessions_org_id"),
            service_user_name: text("service_user_name"),
            user_name: text("user_name"),
        })
    }
}

impl Principal {
    /// Whether the key belongs to a person and not to a service user.
    pub fn is_personal(&self) -> bool {
        self.principal_type.as_deref() == Some("pat_user")
    }

    /// What people call the owner of the key.
    pub fn name(&self) -> Option<&str> {
        self.service_user_name.as_deref().or(self.user_name.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_oddity_in_a_field_hides_no_principal_and_a_list_is_none() {
        let odd: Principal =
            serde_json::from_str(r#"{"principal_type":"pat_user","org_id":7,"user_name":"n"}"#).unwrap();
        assert_eq!((odd.is_personal(), odd.org_id.as_deref(), odd.name()), (true, None, Some("n")));
        assert_eq!(serde_json::from_str::<Principal>("{}").unwrap(), Principal::default());
        assert!(serde_json::from_str::<Principal>("[]").is_err());
    }
}
