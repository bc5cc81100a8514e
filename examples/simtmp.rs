use clap::Parser;
#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    args: parallax::cli::simulate::Args,
}
fn main() {
    if let Err(e) = parallax::cli::simulate::run(&Cli::parse().args) {
        eprintln!("{e:#}");
        std::process::exit(2);
    }
}
