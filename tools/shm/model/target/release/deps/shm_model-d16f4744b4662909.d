/work/h/shm/tools/shm/model/target/release/deps/shm_model-d16f4744b4662909.d: src/lib.rs src/../../../../src/shm/seqlock.rs src/orders.rs

/work/h/shm/tools/shm/model/target/release/deps/shm_model-d16f4744b4662909: src/lib.rs src/../../../../src/shm/seqlock.rs src/orders.rs

src/lib.rs:
src/../../../../src/shm/seqlock.rs:
src/orders.rs:
