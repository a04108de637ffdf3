//! Every instrument, its labels as enums. I/O: the process-wide meter.
