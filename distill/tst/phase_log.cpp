#include "distill/tst/phase_log.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/atomic_file.h"

namespace retort {
namespace {

template <typename Record, typename Visitor>
void visit_phase(Record& r, Visitor&& visit) {
  visit("phase", r.phase);
  visit("epoch", r.epoch);
  visit("compares", r.compares);
  visit("rows", r.rows);
  visit("teacher_loss", r.teacher_loss);
  visit("student_loss", r.student_loss);
  visit("teacher_accuracy", r.teacher_accuracy);
  visit("student_accuracy", r.student_accuracy);
  visit("chances", r.chances);
  visit("strengths", r.strengths);
}

std::string line_of(const PhaseRecord& record) {
  nlohmann::ordered_json object;
  visit_phase(record, [&](const char* name, const auto& field) { object[name] = field; });
  return object.dump() + "\n";
}

}  // namespace

void append_phase(const std::string& path, const PhaseRecord& record) {
  append_to_file(path, line_of(record));
}

void keep_phases(const std::string& path, int phases) {
  if (!std::filesystem::exists(path)) return;
  std::string kept;
  for (const PhaseRecord& record : read_phases(path)) {
    if (record.phase <= phases) kept += line_of(record);
  }
  write_file_atomically(path, kept);
}

std::vector<PhaseRecord> read_phases(const std::string& path) {
  std::ifstream in(path);
  std::vector<PhaseRecord> records;
  for (std::string line; std::getline(in, line);) {
    const auto object = nlohmann::json::parse(line, nullptr, false);
    PhaseRecord record;
    try {
      visit_phase(record, [&](const char* name, auto& field) { object.at(name).get_to(field); });
    } catch (const nlohmann::json::exception&) {
      break;
    }
    records.push_back(record);
  }
  return records;
}

}  // namespace retort
