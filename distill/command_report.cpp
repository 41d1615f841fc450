// retort report
#include <cstdio>
#include <memory>

#include "distill/commands.h"
#include "distill/report/page.h"
#include "distill/report/page_data.h"
#include "distill/run_setup.h"
#include "engine/atomic_file.h"

namespace retort {
namespace {

constexpr int pictures_a_gallery = 24;

struct Arguments {
  std::vector<std::string> runs, data;
  std::string out = "report.html";
};

void report(const Arguments& a) {
  for (const std::string& spec : a.data) {
    RETORT_CHECK(spec.find(':') != std::string::npos, "--data ", spec, ": must be NAME:PATH");
  }
  use_threads(0);
  const FoundRuns found = find_runs(a.runs);
  DataSource source(a.data);
  std::vector<ReportedFindings> runs;
  for (const FoundRun& where : found.runs) {
    ReportedFindings entry{read_run(where), {}, {}};
    entry.samples = look_at_samples(entry.run, source, pictures_a_gallery);
    entry.augmented = look_at_augmentation(entry.run, source);
    for (const std::string& what : entry.run.missing)
      std::printf("%s: %s\n", where.name.c_str(), printable(what).c_str());
    runs.push_back(std::move(entry));
  }
  const std::string page = report_page(page_data(runs, found.tables));
  write_file_atomically(a.out, page);
  std::printf("wrote %s: %zu %s, %.2f MB\n", a.out.c_str(), runs.size(), runs.size() == 1 ? "run" : "runs",
              static_cast<double>(page.size()) / 1e6);
}

}  // namespace

void add_report_command(CLI::App& app) {
  auto a = std::make_shared<Arguments>();
  CLI::App* command =
      app.add_subcommand("report", "Write one HTML page about runs: curves, significance, galleries, costs");
  command->add_option("runs", a->runs, "run folders, or folders that hold some, such as the --out of reproduce")
      ->required()
      ->type_name("RUN");
  command->add_option("--out", a->out, "the page; it needs no other file and no network")
      ->capture_default_str()
      ->type_name("FILE");
  command
      ->add_option("--data", a->data,
                   "NAME:PATH of a data set that is no longer where the runs found it, for its pictures")
      ->allow_extra_args(false)
      ->type_name("DATA");
  command->callback([a] { report(*a); });
}

}  // namespace retort
