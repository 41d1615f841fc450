// Network: parameters under their published names, and a forward pass onto a tape.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/ops.h"
#include "engine/parameters.h"
#include "nets/folding.h"

namespace retort {

/// Named activations of one forward pass: `stem`, `stage1`.., `pooled`, `logits`. A method that wants a feature puts
/// its name in before the pass and finds the variable after it; gradients may be delivered to it like to any other.
using Taps = std::map<std::string, Var>;

struct ForwardInput {
  Var images;                        // (N, H, W, C) normalised, in the context's activation dtype
  Tensor samples;                    // (N) i32 data-set indices, for dropout; may be empty without dropout
  const StepState* state = nullptr;  // for dropout
  Var auxiliary = nullptr;           // (N, ImageFormat::auxiliary) f32; null where that is 0
};

struct ImageFormat {
  int height = 32, width = 32, channels = 3;
  int auxiliary = 0;  ///< numbers beside each image, which join the last layer
};

/// Input of that format without values, for a pass that is measured rather than run.
ForwardInput blank_input(Tape& tape, const ImageFormat& format, int batch, const StepState* state);

class Network {
 public:
  Network(std::string name, ImageFormat input, int classes)
      : name_(std::move(name)), input_(input), classes_(classes) {}
  virtual ~Network() = default;
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// Logits (N, classes) f32. Fills in those taps whose names are in `taps`.
  /// Throws Error(usage) for images of another format than the network's and for a tap it does not have.
  virtual Var forward(Tape& tape, const ForwardInput& input, ForwardMode mode, Taps* taps = nullptr) = 0;
  /// From now on, evaluation that has no gradients to pass on runs with batch norm folded into the convolutions before
  /// it. For a network that is materialised, holds its final values and does not train; see folding.h.
  void fold(Context& context) { folding_.fold(context); }
  /// The taps it has, in the order of the pass.
  virtual std::vector<std::string> tap_names() const { return {}; }

  const std::string& name() const { return name_; }
  ImageFormat input() const { return input_; }
  int classes() const { return classes_; }
  ParameterStore& parameters() { return parameters_; }
  const ParameterStore& parameters() const { return parameters_; }

 protected:
  /// What every forward() begins with: checks the images, and empties the taps of an earlier pass.
  void begin_forward(const ForwardInput& input, Taps* taps) const;
  /// Hands out `value` if somebody asked for the name.
  static void tap(Taps* taps, const std::string& name, const Var& value);

  ParameterStore parameters_;
  Folding folding_;

 private:
  std::string name_;
  ImageFormat input_;
  int classes_;
};

/// Builds a network by name: lenet5, lenet5-half, resnet8..110, resnet8x4, resnet32x4, resnet18, wrn-D-K, vgg8, vgg13.
/// Parameters are registered, not materialised. Throws Error(usage) that lists the names.
std::unique_ptr<Network> make_network(const std::string& name, ImageFormat input, int classes);

/// The names for `retort info --nets` (of open families the published members).
std::vector<std::string> network_names();

}  // namespace retort
