//! What exactly is wrong with a form or a request that cannot be read. Programs get the words; people get them in the
//! language of the site, by the code.

/// What is wrong with a form.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FormFault {
    /// The request ended in the middle of it.
    #[error("it broke off")]
    BrokeOff,
    /// It announces or uses another encoding.
    #[error("its characters are not UTF-8")]
    Charset,
    /// It is no `multipart/form-data` as RFC 7578 has it.
    #[error("its parts are broken")]
    Parts,
    /// Its parts cannot be told apart.
    #[error("its boundary is missing or broken")]
    Boundary,
    /// A part is of the type `multipart/…`.
    #[error("one of its parts has parts itself")]
    Nested,
    /// A file was sent along.
    #[error("this site takes no files")]
    File,
    /// More fields than the door reads.
    #[error("it has too many fields")]
    TooManyFields,
    /// A field's name is not UTF-8 or holds a NUL.
    #[error("the name of a field is not plain UTF-8 text")]
    FieldName,
    /// It asks for something that the door does not do.
    #[error("its task is none that there is")]
    Task,
}

impl FormFault {
    /// All of them.
    pub const ALL: [FormFault; 9] = [
        FormFault::BrokeOff,
        FormFault::Charset,
        FormFault::Parts,
        FormFault::Boundary,
        FormFault::Nested,
        FormFault::File,
        FormFault::TooManyFields,
        FormFault::FieldName,
        FormFault::Task,
    ];

    /// The code by which its words are found.
    pub fn code(self) -> &'static str {
        match self {
            FormFault::BrokeOff => "broke_off",
            FormFault::Charset => "charset",
            FormFault::Parts => "parts",
            FormFault::Boundary => "boundary",
            FormFault::Nested => "nested",
            FormFault::File => "file",
            FormFault::TooManyFields => "too_many_fields",
            FormFault::FieldName => "field_name",
            FormFault::Task => "task",
        }
    }
}

/// What is wrong with a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RequestFault {
    /// `Content-Length` is not a number.
    #[error("its length is no number")]
    Length,
    /// Something other than a form was sent along.
    #[error("only a form has a body")]
    Body,
    /// `Host` holds what no name has.
    #[error("its host is no name")]
    BadHost,
    /// No `Host`.
    #[error("it names no host")]
    NoHost,
    /// Two hosts that differ.
    #[error("it names two hosts")]
    TwoHosts,
    /// The target is neither a path nor a URL.
    #[error("its target is no path")]
    Target,
}

impl RequestFault {
    /// All of them.
    pub const ALL: [RequestFault; 6] = [
        RequestFault::Length,
        RequestFault::Body,
        RequestFault::BadHost,
        RequestFault::NoHost,
        RequestFault::TwoHosts,
        RequestFault::Target,
    ];

    /// The code by which its words are found.
    pub fn code(self) -> &'static str {
        match self {
            RequestFault::Length => "length",
            RequestFault::Body => "body",
            RequestFault::BadHost => "bad_host",
            RequestFault::NoHost => "no_host",
            RequestFault::TwoHosts => "two_hosts",
            RequestFault::Target => "target",
        }
    }
}
