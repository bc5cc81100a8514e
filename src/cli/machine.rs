//! Whether this machine has the instructions that the program was built for: without them it would end in the middle of its
//! work by a signal that nobody understands. Everything else about a machine is `doctor`'s to say.

/// What is missing, in one sentence.
#[cfg(target_arch = "x86_64")]
pub fn check() -> Result<(), String> {
    use std::arch::x86_64::__cpuid_count as cpuid;

    // Intel's manual, volume 2A, CPUID: leaf 1 ecx, leaf 7 ebx; AMD's, volume 3: 8000_0001 ecx.
    let leaves = cpuid(0, 0).eax;
    let (basic, more) = (cpuid(1, 0).ecx, if leaves < 7 { 0 } else { cpuid(7, 0).ebx });
    let extended = if cpuid(0x8000_0000, 0).eax < 0x8000_0001 { 0 } else { cpuid(0x8000_0001, 0).ecx };
    let wanted = [
        (cfg!(target_feature = "popcnt"), basic >> 23, "POPCNT"),
        (cfg!(target_feature = "movbe"), basic >> 22, "MOVBE"),
        (cfg!(target_feature = "fma"), basic >> 12, "FMA"),
        (cfg!(target_feature = "avx"), basic >> 28 & basic >> 27, "AVX"),
        (cfg!(target_feature = "f16c"), basic >> 29, "F16C"),
        (cfg!(target_feature = "bmi1"), more >> 3, "BMI1"),
        (cfg!(target_feature = "avx2"), more >> 5, "AVX2"),
        (cfg!(target_feature = "bmi2"), more >> 8, "BMI2"),
        (cfg!(target_feature = "lzcnt"), extended >> 5, "LZCNT"),
    ];
    let missing: Vec<&str> =
        wanted.iter().filter(|(built, has, _)| *built && has & 1 == 0).map(|(.., name)| *name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "this machine lacks {}, which the program was built for; build it with RUSTFLAGS=\"\" cargo build --release",
        missing.join(", ")
    ))
}

/// Built for every machine of its kind.
#[cfg(not(target_arch = "x86_64"))]
pub fn check() -> Result<(), String> {
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_machine_that_runs_this_suits() {
        assert_eq!(super::check(), Ok(()));
    }
}
