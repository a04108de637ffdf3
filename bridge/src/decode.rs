//! Body and message attributes -> what the message is. Pure.
