//! Scenarios of whole lives, in virtual time. Pure.
