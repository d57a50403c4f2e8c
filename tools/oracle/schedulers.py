# SPDX-License-Identifier: Apache-2.0
"""Records what diffusers' schedulers do with a small closed-form model (tests/oracle/diffusion).

traces.json          one entry a run: sampler, steps, the scheduler_config.json it started from
traces.safetensors   N.timesteps, N.start (initial noise times its scale), N.trace (sample after each
                     evaluation) for run N; the model's weights `gain` and `bias`
schedules.*          cumulative alphas, noised latents and velocities of several beta schedules

The model is f(x, t) = gain * x / (1 + |x|) + bias * t / 1000: plain arithmetic, so that two
implementations of it agree to the last bit.
"""

import torch
from diffusers import (DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler, EulerDiscreteScheduler,
                       PNDMScheduler, UniPCMultistepScheduler)

import common

SEED = 700
SHAPE = (1, 2, 3, 3)
TOLERANCE = 5e-5  # Euler from a noise level of 4096 (zero SNR) loses digits; all others stay below 1e-5
CLASSES = {"ddim": DDIMScheduler, "pndm": PNDMScheduler, "dpm++2m": DPMSolverMultistepScheduler,
           "euler": EulerDiscreteScheduler, "unipc": UniPCMultistepScheduler}
ORDERS = {"dpm++1m": 1, "dpm++2m": 2, "dpm++3m": 3}  # a name may stand for an order of the solver
STABLE_DIFFUSION = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
                    "num_train_timesteps": 1000, "set_alpha_to_one": False, "skip_prk_steps": True,
                    "steps_offset": 1, "clip_sample": False, "trained_betas": None}
PREDICTIONS = ("epsilon", "v_prediction", "sample")


def runs():
    """(sampler, steps, configuration): every sampler on every axis that it reacts to."""
    for name in CLASSES:
        for prediction in PREDICTIONS:
            if name == "pndm" and prediction == "sample":
                continue
            yield name, 7, {"prediction_type": prediction}
            for spacing in ("leading", "trailing", "linspace"):
                yield name, 5, {"prediction_type": prediction, "timestep_spacing": spacing}
        yield name, 1, {"timestep_spacing": "leading"}
        yield name, 20, {}
        yield name, 6, {"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02}
        yield name, 6, {"beta_schedule": "squaredcos_cap_v2", "timestep_spacing": "leading"}
        yield name, 5, {"num_train_timesteps": 100}
        # The pipeline overrides these two.
        yield name, 5, {"steps_offset": 0, "clip_sample": True, "timestep_spacing": "leading"}
        yield name, 6, {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction",
                        "timestep_spacing": "trailing"}
    for name in ("ddim", "pndm"):
        yield name, 5, {"set_alpha_to_one": True}
        yield name, 5, {"set_alpha_to_one": None}
    yield "pndm", 6, {"skip_prk_steps": False}
    yield "pndm", 5, {"skip_prk_steps": False, "prediction_type": "v_prediction"}
    for name in ("dpm++2m", "euler", "unipc"):
        yield name, 8, {"use_karras_sigmas": True}
        yield name, 8, {"use_karras_sigmas": True, "final_sigmas_type": "sigma_min"}
        yield name, 5, {"final_sigmas_type": "sigma_min"}
    for name, order in (("dpm++1m", 1), ("dpm++3m", 3), ("unipc", 1), ("unipc", 3)):
        yield name, 6, {"solver_order": order}
        yield name, 16, {"solver_order": order, "prediction_type": "v_prediction"}
        yield name, 16, {"solver_order": order, "use_karras_sigmas": True}
        yield name, 9, {"solver_order": order, "use_karras_sigmas": True, "prediction_type": "v_prediction",
                        "timestep_spacing": "trailing", "rescale_betas_zero_snr": True}
    for name in ("dpm++2m", "dpm++3m", "unipc"):
        yield name, 16, {"lower_order_final": False, "final_sigmas_type": "sigma_min"}
        yield name, 7, {"use_karras_sigmas": True, "beta_schedule": "linear", "beta_start": 0.0001,
                        "beta_end": 0.02, "prediction_type": "sample"}
    yield "dpm++2m", 6, {"beta_schedule": "squaredcos_cap_v2", "lambda_min_clipped": -5.1}
    yield "dpm++2m", 6, {"solver_type": "heun"}
    yield "dpm++2m", 16, {"euler_at_final": True, "final_sigmas_type": "sigma_min"}
    yield "euler", 8, {"use_karras_sigmas": True, "sigma_min": 0.1, "sigma_max": 10.0}
    yield "unipc", 8, {"use_karras_sigmas": True, "sigma_min": 0.1, "sigma_max": 10.0}
    yield "unipc", 6, {"solver_type": "bh1", "final_sigmas_type": "sigma_min"}
    yield "unipc", 6, {"disable_corrector": [0, 2]}


def model(x, timestep, gain, bias):
    return gain * x / (1 + x.abs()) + bias * (float(timestep) / 1000)


def make_scheduler(name, config):
    """A scheduler as the pipeline leaves it. None stands for a key that the file does not have."""
    given = {key: value for key, value in config.items() if value is not None}
    given.update(steps_offset=1, clip_sample=False)
    if name in ORDERS:
        return DPMSolverMultistepScheduler.from_config(given, solver_order=ORDERS[name])
    return CLASSES[name].from_config(given)


def run(name, steps, config, gain, bias):
    scheduler = make_scheduler(name, config)
    scheduler.set_timesteps(steps)
    sample = common.randn(SEED, *SHAPE) * scheduler.init_noise_sigma
    start, trace = sample, []
    for timestep in scheduler.timesteps:
        seen = scheduler.scale_model_input(sample, timestep)
        sample = scheduler.step(model(seen, timestep, gain, bias), timestep, sample).prev_sample
        trace.append(sample)
    assert torch.isfinite(sample).all(), (name, steps, config)
    return {"timesteps": scheduler.timesteps.double(), "start": start, "trace": torch.stack(trace)}


def record_traces(folder):
    gain = 0.5 + 0.1 * common.randn(SEED + 1, *SHAPE)
    bias = 0.2 * common.randn(SEED + 2, *SHAPE)
    tensors, entries = {"gain": gain, "bias": bias}, []
    for number, (name, steps, changes) in enumerate(runs()):
        config = {**STABLE_DIFFUSION, **changes}
        result = run(name, steps, config, gain, bias)
        tensors.update({f"{number}.{key}": value for key, value in result.items()})
        entries.append({"sampler": name, "steps": steps, "changes": changes, "config": config})
    common.save_tensors(folder / "traces.safetensors", tensors)
    common.write_json(folder / "traces.json", entries)


def record_schedules(folder):
    """DDPMScheduler is what training loops use; three timesteps, both ends among them."""
    latents, noise = common.randn(SEED + 3, 3, 2, 2, 2), common.randn(SEED + 4, 3, 2, 2, 2)
    timesteps = torch.tensor([0, 417, 999])
    betas = torch.linspace(0.001, 0.01, 1000).tolist()
    tensors, entries = {"latents": latents, "noise": noise, "timesteps": timesteps}, []
    for changes in ({}, {"beta_schedule": "linear"}, {"beta_schedule": "squaredcos_cap_v2"},
                    {"rescale_betas_zero_snr": True}, {"trained_betas": betas}):
        number, config = len(entries), {**STABLE_DIFFUSION, **changes}
        scheduler = DDPMScheduler.from_config(config)
        tensors[f"{number}.alphas"] = scheduler.alphas_cumprod
        tensors[f"{number}.noisy"] = scheduler.add_noise(latents, noise, timesteps)
        tensors[f"{number}.velocity"] = scheduler.get_velocity(latents, noise, timesteps)
        entries.append(config)
    common.save_tensors(folder / "schedules.safetensors", tensors)
    (folder / "schedules.json").write_text(common.json.dumps(entries) + "\n", encoding="utf-8")


def main():
    folder = common.arguments(__doc__).out / "diffusion"
    folder.mkdir(parents=True, exist_ok=True)
    record_traces(folder)
    record_schedules(folder)
    common.write_note(folder, __file__, SEED, {
        "traces.json, traces.safetensors": "runs of the samplers: see the script",
        "schedules.json, schedules.safetensors": "noise schedules: see the script"},
        ("diffusers",), relative=TOLERANCE)


if __name__ == "__main__":
    main()
