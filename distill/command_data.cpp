// retort data check, retort data synth
#include <cstdio>
#include <memory>

#include "data/check.h"
#include "data/synthetic.h"
#include "data/write.h"
#include "distill/commands.h"
#include "kernels/error.h"

namespace retort {

void add_data_command(CLI::App& app) {
  CLI::App* data = app.add_subcommand("data", "Verify and make data sets");
  data->require_subcommand(1);

  auto spec = std::make_shared<std::string>();
  CLI::App* check = data->add_subcommand("check", "Read a data set, verify it and describe it");
  check->add_option("data", *spec, "data set, NAME:PATH or synthetic[:train=N,test=N,classes=N,seed=N,noise=SHARE]")
      ->required();
  check->callback([spec] {
    for (const std::string& line : describe(check_dataset(load_dataset(*spec)))) std::printf("%s\n", line.c_str());
  });

  struct Synth {
    std::string out, format = "cifar";
    SyntheticOptions options;
  };
  auto synth = std::make_shared<Synth>();
  CLI::App* make = data->add_subcommand("synth", "Write the built-in synthetic set as files");
  make->add_option("--out", synth->out, "folder")->required();
  make->add_option("--format", synth->format, "cifar (binary) or png (class folders)");
  make->add_option("--train", synth->options.train, "training images");
  make->add_option("--test", synth->options.test, "test images");
  make->add_option("--classes", synth->options.classes, "2 to 10");
  make->add_option("--seed", synth->options.seed, "seed");
  make->add_option("--noise", synth->options.noise, "share of training labels replaced");
  make->callback([synth] {
    RETORT_CHECK(synth->format == "cifar" || synth->format == "png", "--format ", synth->format,
                 ": must be cifar or png");
    const Dataset set = make_synthetic(synth->options);
    if (synth->format == "cifar") {
      write_cifar(set, synth->out);
    } else {
      write_image_folder(set, synth->out);
    }
    std::printf("wrote %d training and %d test images to %s (%s)\n", set.train.count(), set.test.count(),
                synth->out.c_str(), set.checksum.c_str());
  });
}

}  // namespace retort
