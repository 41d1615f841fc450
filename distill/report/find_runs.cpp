#include "distill/report/find_runs.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include "distill/reproduce/recipe.h"
#include "kernels/error.h"

namespace retort {
namespace {

namespace fs = std::filesystem;

bool is_run(const fs::path& folder) {
  return fs::exists(folder / "config.toml");
}

bool is_tuning(const fs::path& folder) {
  return folder.filename() == "tune";
}

bool is_seed(const std::string& part) {
  return part.rfind("seed-", 0) == 0 && part.find_first_not_of("0123456789", 5) == std::string::npos && part.size() > 5;
}

/// Ready-made arms in the order of the demonstration, which has them all, then everything else.
std::size_t arm_rank(const std::string& id) {
  static const std::vector<Arm> arms = find_recipe("demo", false).arms;
  std::size_t rank = 0;
  while (rank < arms.size() && arms[rank].id != id) ++rank;
  return rank;
}

void search(const fs::path& folder, std::vector<fs::path>& runs, std::vector<std::string>& tables) {
  if (is_run(folder)) {
    runs.push_back(folder);
    return;
  }
  if (fs::exists(folder / "table.json")) tables.push_back((folder / "table.json").string());
  for (const auto& entry : fs::directory_iterator(folder, fs::directory_options::skip_permission_denied)) {
    // A link may lead in a circle.
    if (!entry.is_directory() || entry.is_symlink() || is_tuning(entry.path())) continue;
    search(entry.path(), runs, tables);
  }
}

/// The last `count` parts of a path.
std::string tail(const fs::path& path, std::size_t count) {
  std::vector<std::string> parts;
  for (const fs::path& part : path) parts.push_back(part.string());
  std::string out;
  for (std::size_t i = parts.size() - std::min(count, parts.size()); i < parts.size(); ++i) {
    out += (out.empty() || out == "/" ? "" : "/") + parts[i];
  }
  return out;
}

void name_runs(const std::vector<fs::path>& absolute, std::vector<FoundRun>& runs) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto others = [&](std::size_t parts) {
      const std::string name = tail(absolute[i], parts);
      return std::count_if(absolute.begin(), absolute.end(), [&](const fs::path& p) { return tail(p, parts) == name; });
    };
    std::size_t parts = 1;
    while (others(parts) > 1) ++parts;
    runs[i].name = tail(absolute[i], parts);
    const bool one_of_seeds = parts == 2 && is_seed(absolute[i].parent_path().filename().string());
    runs[i].group = one_of_seeds ? tail(absolute[i], 1) : runs[i].name;
  }
}

}  // namespace

FoundRuns find_runs(const std::vector<std::string>& paths) {
  FoundRuns found;
  std::vector<fs::path> absolute;
  for (const std::string& path : paths) {
    RETORT_CHECK_AS(ErrorKind::input, fs::is_directory(path), path, ": no such folder");
    std::vector<fs::path> runs;
    try {
      search(path, runs, found.tables);
    } catch (const fs::filesystem_error& error) {
      fail(ErrorKind::input, text(path, ": ", error.code().message()));
    }
    RETORT_CHECK_AS(ErrorKind::input, !runs.empty(), path,
                    ": neither a run folder (no config.toml) nor a folder that holds runs");
    std::sort(runs.begin(), runs.end(), [](const fs::path& a, const fs::path& b) {
      const std::string x = a.filename().string(), y = b.filename().string();
      return std::make_tuple(arm_rank(x), x, a) < std::make_tuple(arm_rank(y), y, b);
    });
    for (const fs::path& run : runs) {
      const fs::path real = fs::canonical(run);
      if (std::find(absolute.begin(), absolute.end(), real) != absolute.end()) continue;
      absolute.push_back(real);
      found.runs.push_back({run.string(), {}, {}});
    }
  }
  name_runs(absolute, found.runs);
  return found;
}

}  // namespace retort
