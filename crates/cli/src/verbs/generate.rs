//! `triway generate`: data to try tasks on.

use std::{
    fs::{self, File},
    io::BufWriter,
};

use anyhow::{Context as _, anyhow};
use triway_tasks::columns::generate::{Format, write};

use crate::{
    arguments::{Data, DataFormat, GenerateArguments, GenerateColumnsArguments},
    exit::{Exit, Fault},
    people::{Screen, figures::counted},
};

/// Makes what was asked for.
pub(crate) fn run(arguments: GenerateArguments) -> Result<Exit, Fault> {
    let Data::Columns(columns) = arguments.data;
    generate(&columns)
}

fn generate(arguments: &GenerateColumnsArguments) -> Result<Exit, Fault> {
    let GenerateColumnsArguments {
        rows,
        files,
        format,
        directory,
    } = arguments;
    let shown = directory.display();
    fs::create_dir_all(directory)
        .with_context(|| format!("the directory {shown} cannot be made"))
        .map_err(Fault::usage)?;
    let format = match format {
        DataFormat::Parquet => Format::Parquet,
        DataFormat::Csv => Format::Csv,
        DataFormat::Arrow => Format::Arrow,
    };
    let digits = files.saturating_sub(1).to_string().len();
    for number in 0..*files {
        let name = format!("part-{number:0digits$}.{}", format.extension());
        let path = directory.join(name);
        let file = File::create_new(&path)
            .with_context(|| format!("{} cannot be made", path.display()))
            .map_err(|error| Fault::usage(error.context(anyhow!("nothing is overwritten"))))?;
        write(number, *rows, format, BufWriter::new(file))
            .with_context(|| format!("{} cannot be written", path.display()))
            .map_err(Fault::could_not_run)?;
    }
    let rows = counted(*rows, "row", "rows");
    let files = counted(*files, "file", "files");
    Screen::new(false).say(&format!("{files} of {rows} each in {shown}"));
    Ok(Exit::Ok)
}
