//! A host of the older revisions at a server that speaks only the newer ones (checklist 1.6-A).

pub(super) mod splice;
