// Where the left matrix's entries are in x: a row of it is an output pixel's window, a column of it a term, which is a
// tap of the filter and a channel.
#pragma once

#include "bench/lab/convolution/convolution.h"
#include "kernels/cuda/device.h"

namespace retort::lab {

struct Term {
  int r, s, channel;
  bool there;  ///< not behind the last

  __device__ static Term of(const Convolution& p, int term) {
    const int tap = term / p.shape.in_channels;
    return {tap / p.shape.kernel_w, tap % p.shape.kernel_w, term % p.shape.in_channels, term < p.terms()};
  }
};

struct Window {
  int first;      ///< the element of x at which the pixel under the first tap begins, were there no padding
  int top, left;  ///< that pixel; outside of the image if it lies in the padding

  __device__ static Window of(const Convolution& p, int pixel) {
    const Conv2dShape& s = p.shape;
    if (pixel >= p.pixels()) return {0, s.height, 0};  // all of it is below the image
    const int image = pixel / (p.out_height * p.out_width);
    const int top = pixel / p.out_width % p.out_height * s.stride - s.padding;
    const int left = pixel % p.out_width * s.stride - s.padding;
    return {((image * s.height + top) * s.width + left) * s.in_channels, top, left};
  }

  /// The element of x, or -1 for a zero: padding, and what is behind the last pixel or term.
  __device__ int element(const Convolution& p, const Term& term) const {
    const Conv2dShape& s = p.shape;
    const int h = top + term.r;
    const int w = left + term.s;
    if (!term.there || h < 0 || h >= s.height || w < 0 || w >= s.width) return -1;
    return first + (term.r * s.width + term.s) * s.in_channels + term.channel;
  }
};

/// The element of the filters for a channel and a term, or -1 for a zero.
__device__ inline int filter_element(const Convolution& p, int channel, int term) {
  return channel < p.shape.out_channels && term < p.terms() ? channel * p.terms() + term : -1;
}

}  // namespace retort::lab
