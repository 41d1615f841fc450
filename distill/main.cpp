// The program: parses the command line, runs the command, turns an exception into one line and an exit code.
#include <cstdio>
#include <cstdlib>
#include <new>

#include "distill/commands.h"
#include "kernels/error.h"

int main(int argc, char** argv) {
  CLI::App app("Retort: data-efficient knowledge distillation", "retort");
  app.require_subcommand(1);
  retort::add_train_commands(app);
  retort::add_evaluate_commands(app);
  retort::add_reproduce_command(app);
  retort::add_sweep_command(app);
  retort::add_import_command(app);
  retort::add_tst_pretrain_command(app);
  retort::add_export_command(app);
  retort::add_report_command(app);
  retort::add_data_command(app);
  retort::add_info_command(app);
  retort::add_profile_command(app);
  app.footer("Exit codes: 0 done or stopped by a signal, 2 usage, 3 bad input file, 4 out of memory, 5 device, "
             "6 training diverged, 7 cannot write.");
  app.failure_message([](const CLI::App*, const CLI::Error& error) {
    return std::string("retort: ") + error.what() + " (see --help)\n";
  });
  try {
    app.parse(argc, argv);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      retort::fail(retort::ErrorKind::output, "cannot write to the standard output");
    }
    return 0;
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : static_cast<int>(retort::ErrorKind::usage);
  } catch (const retort::Error& error) {
    std::fprintf(stderr, "retort: %s\n", error.what());
    if (std::getenv("RETORT_DEBUG") != nullptr) std::fprintf(stderr, "  %s\n", error.where().c_str());
    return error.exit_code();
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "retort: out of memory\n");
    return static_cast<int>(retort::ErrorKind::memory);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "retort: internal error: %s\n", error.what());
    return static_cast<int>(retort::ErrorKind::internal);
  }
}
