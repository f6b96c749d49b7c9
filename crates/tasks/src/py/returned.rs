//! What a function gave back, as the JSON that it was written as.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::value::RawValue;

/// What a function gave back.
#[derive(Debug, Clone)]
pub struct Returned(Box<RawValue>);

impl Returned {
    pub(super) fn new(value: Box<RawValue>) -> Self {
        Self(value)
    }

    /// The value as JSON, to the digit.
    #[must_use]
    pub fn json(&self) -> &str {
        self.0.get()
    }
}

/// In JSON it is the value itself; formats that are no text have the text.
impl Serialize for Returned {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match to.is_human_readable() {
            true => self.0.serialize(to),
            false => to.serialize_str(self.json()),
        }
    }
}

impl<'de> Deserialize<'de> for Returned {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if from.is_human_readable() {
            return Box::<RawValue>::deserialize(from).map(Self);
        }
        let text = String::deserialize(from)?;
        RawValue::from_string(text)
            .map(Self)
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_back_in_every_format() {
        let text = r#"{"n":123456789012345678901234567890,"f":2.50}"#;
        let returned: Returned = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&returned).unwrap(), text);
        let wire = postcard::to_allocvec(&returned).unwrap();
        let back: Returned = postcard::from_bytes(&wire).unwrap();
        assert_eq!(back.json(), text);
    }
}
