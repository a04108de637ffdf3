//! What is known of queue, sink and progress -> the answers of `/health` and `/readiness`. Pure.
