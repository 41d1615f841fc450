#include "distill/plan_cache.h"

#include <cctype>
#include <cstdlib>
#include <filesystem>

#include "data/file.h"
#include "engine/atomic_file.h"

namespace retort {
namespace {

/// "NVIDIA H200" as a part of a file's name.
std::string as_file_name(std::string name) {
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.') c = '-';
  }
  return name;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

std::string cache_folder() {
  if (const std::string own = environment("RETORT_CACHE_DIR"); !own.empty()) return own;
  if (const std::string all = environment("XDG_CACHE_HOME"); !all.empty()) return all + "/retort";
  const std::string home = environment("HOME");
  return home.empty() ? "" : home + "/.cache/retort";
}

PlanCache::PlanCache(const DeviceInfo& device) : device_(device) {
  const std::string folder = cache_folder();
  if (folder.empty()) return;
  path_ = folder + "/plans-" + as_file_name(device.name) + "-" + as_file_name(device.cudnn) + ".json";
}

PlanFile PlanCache::read(const LineSink& say) const {
  if (path_.empty() || !std::filesystem::exists(path_)) return PlanFile::of(device_);
  try {
    PlanFile file = plan_file_of(read_text(path_), path_);
    RETORT_CHECK_AS(ErrorKind::input, file.fits(device_), path_, ": its plans are for another device or cuDNN");
    return file;
  } catch (const Error& error) {
    say(text(error.what(), "; ignored"));
    return PlanFile::of(device_);
  }
}

void PlanCache::add(const std::vector<PlanFile::Entry>& entries, const LineSink& say) const {
  if (path_.empty() || entries.empty()) return;
  // Another process may have added to it.
  PlanFile file = read([](const std::string&) {});
  for (const PlanFile::Entry& entry : entries) file.put(entry.rules, entry.choice);
  try {
    make_folder(std::filesystem::path(path_).parent_path().string());
    write_file_atomically(path_, to_json(file));
  } catch (const Error& error) {
    say(text(error.what(), "; plans are decided anew by the next run"));
  }
}

}  // namespace retort
