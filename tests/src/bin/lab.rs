//! Starts and handles labs from the command line.
fn main() -> std::process::ExitCode {
    if let Some(code) = lab::inner_role() {
        return code;
    }
    std::process::ExitCode::FAILURE
}
