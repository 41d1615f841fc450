// The program's commands. Each adds its subcommand with options to the application; the callback does the work.
#pragma once

#include <CLI/CLI.hpp>

namespace retort {

void add_train_commands(CLI::App& app);     // teach, distill
void add_evaluate_commands(CLI::App& app);  // evaluate, predict
void add_import_command(CLI::App& app);     // import
void add_tst_pretrain_command(CLI::App& app);  // tst-pretrain
void add_export_command(CLI::App& app);     // export
void add_data_command(CLI::App& app);       // data check, data synth
void add_info_command(CLI::App& app);       // info
void add_profile_command(CLI::App& app);    // profile
void add_reproduce_command(CLI::App& app);  // reproduce
void add_sweep_command(CLI::App& app);      // sweep
void add_report_command(CLI::App& app);     // report

}  // namespace retort
