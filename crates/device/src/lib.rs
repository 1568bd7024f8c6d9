//! The reference device, the virtual fleet and the embedded demo broker.
