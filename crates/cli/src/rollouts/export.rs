//! `wilco rollout export`.

use std::{path::Path, process::ExitCode};

use wilco_engine::api::{FileToWrite, MemberQuery, ReportFormat};

use crate::{
    base::Base,
    options::RolloutExportOptions,
    output::{Output, file_to_write},
    problem::Problem,
};

/// The contents and the path of the file.
pub(super) struct Export {
    query: MemberQuery,
    to: FileToWrite,
    format: ReportFormat,
}

impl Export {
    pub(super) fn read(options: RolloutExportOptions) -> Result<Export, Problem> {
        let RolloutExportOptions { id, to, format, state, force } = options;
        let format = match format {
            Some(format) => format,
            None => by_ending(&to).ok_or_else(|| {
                let hint = "Use --format csv, json, markdown or html, or a file name with such an extension.";
                Problem::new(format!("The extension of {} does not name a format.", to.display()), hint)
            })?,
        };
        if !state.is_empty() && matches!(format, ReportFormat::Markdown | ReportFormat::Html) {
            let hint = "Omit --state, or choose --format csv or json.";
            return Err(Problem::new("A report always covers the whole rollout.".to_owned(), hint));
        }
        let query = MemberQuery { rollout: id.trim().to_owned(), states: state, ..MemberQuery::default() };
        Ok(Export { query, to: file_to_write(&to, force)?, format })
    }

    pub(super) async fn make(self, base: &Base) -> Result<ExitCode, Problem> {
        let Export { query, to, format } = self;
        let view = super::find(base, &query.rollout).await?;
        super::learn_devices(base, &view).await?;
        let id = view.id;
        let path = base.console().export_rollout(query, to, format).await?;
        let mut output = Output::text();
        output.line(&format!("Wrote rollout {id} to {}.", path.display()))?;
        output.flush()?;
        Ok(ExitCode::SUCCESS)
    }
}

fn by_ending(path: &Path) -> Option<ReportFormat> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    match ending.as_str() {
        "csv" => Some(ReportFormat::Csv),
        "json" | "jsonl" | "ndjson" => Some(ReportFormat::Json),
        "md" | "markdown" => Some(ReportFormat::Markdown),
        "html" | "htm" => Some(ReportFormat::Html),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use wilco_engine::api::ReportFormat;

    use super::by_ending;

    #[test]
    fn the_ending_says_what_is_written() {
        let check = |path: &str, expected: Option<ReportFormat>| assert_eq!(by_ending(Path::new(path)), expected);
        check("a.csv", Some(ReportFormat::Csv));
        check("a.b.JSONL", Some(ReportFormat::Json));
        check("a.md", Some(ReportFormat::Markdown));
        check("a.html", Some(ReportFormat::Html));
        check("html", None);
        check("a.pdf", None);
    }
}
